package export

import (
	"context"

	"github.com/odi-dev/odi/odiglet/signal"
)

// Discard is a Sink that only counts: for measuring.
type Discard struct{ accounts Accounts }

// NewDiscard returns a sink that counts everything as sent.
func NewDiscard(a Accounts) Discard { return Discard{a} }

// Send counts the batch.
func (d Discard) Send(b signal.Batch) { d.accounts.sent(b) }

// Close does nothing.
func (Discard) Close(context.Context) error { return nil }
