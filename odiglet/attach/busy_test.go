package attach

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/process"
)

// slow is an engine that takes its time.
type slow struct {
	*world
	pause time.Duration
}

func (s slow) AddTarget(t probe.Target) error {
	time.Sleep(s.pause)
	return s.world.AddTarget(t)
}

func TestAManagerThatHangsIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		m := w.manager()
		if got := m.Busy(); got != 0 {
			t.Errorf("busy for %s before it runs", got)
		}
		m.Engine = slow{w, 5 * time.Minute}
		w.runs(t, m)
		time.Sleep(10 * time.Minute)
		if got := m.Busy(); got > time.Second {
			t.Errorf("busy for %s without work", got)
		}
		w.mu.Lock()
		w.wanted["/bin/cart"] = true
		w.mu.Unlock()
		m.Reselect()
		time.Sleep(4 * time.Minute)
		if got := m.Busy(); got < 3*time.Minute {
			t.Errorf("busy for %s while it hangs", got)
		}
		time.Sleep(2 * time.Minute)
		if got := m.Busy(); got > time.Second {
			t.Errorf("busy for %s afterwards", got)
		}
	})
}
