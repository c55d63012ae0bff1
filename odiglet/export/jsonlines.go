package export

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/signal"
)

// JSONLines is a Sink that writes one OTLP/JSON object per batch and line, as
// the Collector's file exporter does.
type JSONLines struct {
	accounts Accounts
	// wanted are the signals that it writes; a reader of spans need not expect others.
	wanted []*signal.Signal

	mu     sync.Mutex
	out    io.Writer
	failed error
}

// NewJSONLines returns a sink that writes some signals to out.
func NewJSONLines(out io.Writer, a Accounts, wanted ...*signal.Signal) *JSONLines {
	return &JSONLines{out: out, accounts: a, wanted: wanted}
}

// Send writes one line. What is in no books fails at Close only, where the writer does.
func (j *JSONLines) Send(b signal.Batch) {
	if !slices.Contains(j.wanted, b.Signal) {
		return
	}
	if err := j.writeBatch(b); err == nil {
		j.accounts.sent(b)
	} else if account, ok := j.accounts[b.Signal]; ok {
		account.Drop(loss.Rejected, b.Items)
	}
}

func (j *JSONLines) writeBatch(b signal.Batch) error {
	if b.Body == nil {
		return errNotEncoded
	}
	line, err := b.Signal.JSON(b.Body)
	if err != nil {
		return fmt.Errorf("encoding OTLP/JSON: %w", err)
	}
	return j.write(line)
}

func (j *JSONLines) write(line []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.failed
	}
	if _, err := j.out.Write(append(line, '\n')); err != nil {
		j.failed = fmt.Errorf("writing OTLP/JSON: %w", err)
	}
	return j.failed
}

// Close returns the first error of the writer.
func (j *JSONLines) Close(context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}
