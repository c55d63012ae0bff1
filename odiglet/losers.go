package odiglet

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/internal/loss"
)

// namePause is well below the time for which an ended process keeps its name.
const namePause = 10 * time.Second

// namedLosses are the kernel's losses that the books have names for.
type namedLosses struct {
	mu   sync.Mutex
	upTo map[bpf.Loser]uint64
}

// fresh returns what was lost since the last call. A count that got smaller has
// begun again.
func (l *namedLosses) fresh(now map[bpf.Loser]uint64) map[bpf.Loser]uint64 {
	fresh := make(map[bpf.Loser]uint64)
	for loser, n := range now {
		if before := l.upTo[loser]; n > before {
			fresh[loser] = n - before
		} else if n < before {
			fresh[loser] = n
		}
	}
	l.upTo = now
	return fresh
}

// nameLosses names whose losses the kernel has counted.
func (o *Odiglet) nameLosses() {
	o.named.mu.Lock()
	defer o.named.mu.Unlock()
	for loser, n := range o.named.fresh(o.engine.Losers()) {
		o.books.Name(o.nameOf(loser.PID), loss.Name(loser.Reason), n)
	}
}

func (o *Odiglet) nameOf(pid uint32) string {
	if pid == 0 {
		return "a process that was gone"
	}
	if origin, ok := o.manager.Origin(pid); ok {
		return origin.Service.Name
	}
	return "pid " + strconv.FormatUint(uint64(pid), 10)
}

func (o *Odiglet) nameNowAndThen(ctx context.Context) {
	tick := time.NewTicker(namePause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			o.nameLosses()
		}
	}
}

// Whose returns how many requests of whom were lost, or lack a part, for a reason,
// as far as that is known.
func (o *Odiglet) Whose(why loss.Name) map[string]uint64 {
	o.nameLosses()
	return o.books.Whose(why)
}
