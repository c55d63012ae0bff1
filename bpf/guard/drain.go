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
	_   uint32
}

// between is how long a socket gets to be read before the next look at it.
const between = time.Millisecond

// Drain takes sockets out of the map that walk walks, each as soon as nothing is
// queued in it. It returns how many still hold bytes after maxWait: they stay in
// the map. Whose sockets these are is in the map of Control, which the caller
// writes before; so walks on one engine must not overlap.
func Drain(walk *link.Iter, maxWait time.Duration) (left int, err error) {
	for start := time.Now(); ; time.Sleep(between) {
		left, err := pass(walk)
		if err != nil || left == 0 || time.Since(start) > maxWait {
			return left, err
		}
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
