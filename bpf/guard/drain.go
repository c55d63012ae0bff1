package guard

import (
	"fmt"
	"io"
	"time"

	"github.com/cilium/ebpf/link"
)

// Control is struct control in bpf/include/types.h.
type Control struct {
	// LeaseNanos is when to stop writing headers, on the monotonic clock.
	LeaseNanos uint64
	// PID is the process whose sockets leave the map; 0 means all.
	PID uint32
	// Hasty is 1 when connections that wait for an answer leave too.
	Hasty uint32
}

// between is how long a socket gets to be read before the next look at it.
const between = time.Millisecond

// Drain takes sockets out of the map that walk walks, each as soon as it waits
// for no answer, after polite as soon as nothing is queued. It returns how many
// still hold bytes at the end: they stay in the map. Its walks and those of
// other processes on the same engine must not overlap.
func Drain(walk *link.Iter, set func(hasty bool) error, polite, maxWait time.Duration) (left int, err error) {
	start := time.Now()
	hasty := false
	if err := set(false); err != nil {
		return 0, err
	}
	for {
		left, err := pass(walk)
		waited := time.Since(start)
		if err != nil || left == 0 || waited > maxWait {
			return left, err
		}
		if !hasty && waited > polite {
			hasty = true
			if err := set(true); err != nil {
				return left, err
			}
		}
		time.Sleep(between)
	}
}

// pass runs odi_release on each socket of the map; it writes a byte for each
// that stays.
func pass(walk *link.Iter) (left int, err error) {
	seq, err := walk.Open()
	if err != nil {
		return 0, fmt.Errorf("walking the socket map: %w", err)
	}
	defer func() { _ = seq.Close() }()
	stay, err := io.ReadAll(seq)
	if err != nil {
		return 0, fmt.Errorf("walking the socket map: %w", err)
	}
	return len(stay), nil
}
