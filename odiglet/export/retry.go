package export

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// refusal is a try that a receiver did not take.
type refusal struct {
	// again says that the same batch may be sent once more.
	again bool
	// after is how long the receiver asks to wait; zero when it did not say.
	after time.Duration
	// tooLarge says that a smaller one may be taken.
	tooLarge bool
	err      error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// permanent is a refusal that trying again cannot change.
func permanent(format string, args ...any) error {
	return &refusal{err: fmt.Errorf(format, args...)}
}

// Backoff is the pace of tries: the pause doubles from First to Longest, each
// with a jitter of a quarter; after Spent in all the batch is given up.
type Backoff struct {
	First, Longest, Spent time.Duration
}

// pause decides what follows the n-th failed try (from 1): wait that long and
// try again, or give up.
func (b Backoff) pause(n int, err error, sinceFirst time.Duration) (time.Duration, bool) {
	var r *refusal
	if !errors.As(err, &r) || !r.again {
		return 0, false
	}
	wait := b.Longest
	if shift := n - 1; shift < 16 {
		wait = min(b.First<<shift, b.Longest)
	}
	wait = max(wait, r.after)
	if sinceFirst+wait > b.Spent {
		return 0, false
	}
	return wait, true
}

// jitter spreads a pause, so that many nodes do not return at the same moment.
// A pause that the receiver asked for is never made shorter.
func jitter(d time.Duration) time.Duration {
	if d < 4 {
		return d
	}
	return d + rand.N(d/4)
}
