package export

import (
	"context"
	"errors"

	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

// Sink is where batches of any signal go. It does not change them. Send never waits for a
// receiver: what does not fit is counted as dropped. Calls may come from several
// goroutines, and none may come after Close.
type Sink interface {
	// Send takes a batch. A sink that needs the body when it has returned holds its memory.
	Send(signal.Batch)
	// Close sends what is queued until ctx ends, counts the rest as dropped,
	// and frees everything.
	Close(ctx context.Context) error
}

// errNotEncoded is a defect of ours.
var errNotEncoded = errors.New("a batch could not be encoded")

// Accounts are the books of the signals whose items are counted as seen by those
// who make them.
type Accounts map[*signal.Signal]*books.Books

// sent counts a batch as taken, where somebody keeps books of its signal.
func (a Accounts) sent(b signal.Batch) {
	if kept, ok := a[b.Signal]; ok {
		kept.Sent(b.Items)
	}
}

// Both gives every batch to two sinks.
func Both(first, second Sink) Sink {
	return both{first, second}
}

type both struct{ first, second Sink }

func (b both) Send(batch signal.Batch) {
	b.first.Send(batch)
	b.second.Send(batch)
}

func (b both) Close(ctx context.Context) error {
	return errors.Join(b.first.Close(ctx), b.second.Close(ctx))
}
