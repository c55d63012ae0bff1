package export

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

// Options are what an OTLP sink needs.
type Options struct {
	// Settings say where each signal goes (EachFromEnv).
	Settings map[*signal.Signal]Settings
	Accounts Accounts
	Log      *slog.Logger
	// Backoff is DefaultBackoff unless set.
	Backoff Backoff
}

// DefaultBackoff starts well below a receiver's restart and ends within the
// minutes in which old spans still help somebody.
func DefaultBackoff() Backoff {
	return Backoff{First: 500 * time.Millisecond, Longest: 15 * time.Second, Spent: 5 * time.Minute}
}

// OTLP is a Sink that sends to an OTLP receiver. Nothing connects before the
// first batch; a receiver that is not there yet is a reason to try again.
type OTLP struct {
	pipes []*pipe // in the order of signal.All
}

// NewOTLP returns a sink with its senders running, until Close. Signals without
// settings are not sent.
func NewOTLP(o Options) (*OTLP, error) {
	if o.Backoff == (Backoff{}) {
		o.Backoff = DefaultBackoff()
	}
	var planned []pipe
	for _, s := range signal.All {
		settings, ok := o.Settings[s]
		if !ok {
			continue
		}
		to, err := newTransport(s, settings, o.Backoff)
		if err != nil {
			for _, p := range planned {
				err = errors.Join(err, p.transport.close())
			}
			return nil, err
		}
		kept, counted := o.Accounts[s]
		if !counted {
			kept = books.New()
		}
		planned = append(planned, pipe{
			signal: s, transport: to, timeout: settings.Timeout, backoff: o.Backoff, books: kept, counts: !counted, log: o.Log,
			secrets: secretsOf(settings),
		})
	}
	sink := &OTLP{}
	for _, p := range planned {
		sink.pipes = append(sink.pipes, startPipe(p))
	}
	return sink, nil
}

// Send queues a batch.
func (o *OTLP) Send(b signal.Batch) {
	for _, p := range o.pipes {
		if p.signal == b.Signal {
			p.enqueue(b)
		}
	}
}

// Close sends what is queued until ctx ends, the last signal first: it is the smallest.
func (o *OTLP) Close(ctx context.Context) error {
	var errs []error
	for _, p := range slices.Backward(o.pipes) {
		errs = append(errs, p.close(ctx))
	}
	return errors.Join(errs...)
}

// LastError is what the receiver of the first signal that fails said last; nil
// after the latest batches were taken.
func (o *OTLP) LastError() error {
	for _, p := range o.pipes {
		if err := p.lastError(); err != nil {
			return err
		}
	}
	return nil
}
