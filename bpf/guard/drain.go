package guard

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// Control is struct control in bpf/include/types.h.
type Control struct {
	// LeaseNanos is when to stop writing headers, on the monotonic clock.
	LeaseNanos uint64
	// Former is 1 where only the sockets of processes whose requests get no header
	// leave the map, 0 where all do.
	Former uint32
	// Aside is 1 where no socket enters the maps, because somebody else has some.
	Aside uint32
}

// between is how long a socket gets to be read before the next look at it.
const between = time.Millisecond

// staysLeaving is what odi_release writes for a socket that has just left the
// verdict program, a run of which may still queue bytes.
const staysLeaving = 2

// Drain takes sockets out of the map that walk walks, each as soon as nothing is
// queued in it. It returns how many still hold bytes after maxWait: they stay in
// the map. Whose sockets these are is in the map of Control, which the caller
// writes before; so walks on one engine must not overlap. No more sockets of
// those may enter the map, but for what programs do that run meanwhile.
func Drain(walk *link.Iter, maxWait time.Duration) (left int, err error) {
	sure := false // all programs that ran before the last pass have ended
	for start := time.Now(); ; {
		stay, err := pass(walk)
		switch {
		case err != nil, len(stay) == 0 && sure, time.Since(start) > maxWait:
			return len(stay), err
		case len(stay) == 0, slices.Contains(stay, staysLeaving):
			awaitPrograms()
			sure = true
		default:
			time.Sleep(between)
			sure = false
		}
	}
}

// awaitPrograms returns when every program that runs now has ended: membarrier
// waits for an RCU grace period (kernel/sched/membarrier.c). Kernels with
// nohz_full refuse; there a pause must do.
func awaitPrograms() {
	const global = 1 // MEMBARRIER_CMD_GLOBAL
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0); errno != 0 {
		time.Sleep(20 * between)
	}
}

// pass runs odi_release on each socket of the map and returns what it wrote: a
// byte for each that stays.
func pass(walk *link.Iter) (stay []byte, err error) {
	seq, err := walk.Open()
	if err != nil {
		return nil, fmt.Errorf("walking the socket map: %w", err)
	}
	defer func() { _ = seq.Close() }()
	if stay, err = io.ReadAll(seq); err != nil {
		return nil, fmt.Errorf("walking the socket map: %w", err)
	}
	return stay, nil
}
