package attach

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/process"
)

// Want forgets which cgroups were ignored.
func (w *world) Want(probe.Wanted) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.ignored)
	return nil
}

func (w *world) IgnoreCgroup(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ignored[id] = true
}

func (w *world) Wanted() Wanted { return Wanted{Wanted: probe.Wanted{Any: true}, ByCgroup: true} }

func (w *world) ignores(id uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ignored[id]
}

func TestNobodysCgroupsAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		m := w.run(t)
		start := func(pid int, exe string, cgroup uint64) {
			w.mu.Lock()
			w.alive[pid] = process.Process{PID: pid, Start: 2, Exe: exe}
			w.mu.Unlock()
			w.events <- probe.Process{Kind: probe.ProcessExec, PID: uint32(pid), Cgroup: cgroup}
			synctest.Wait()
		}
		start(20, "/bin/true", 7)
		start(21, "/bin/cart", 8)
		w.events <- probe.Process{Kind: probe.ProcessExec, PID: 22, Cgroup: 9} // has ended
		wantTargets(t, w, 10, 21)
		if !w.ignores(7) || w.ignores(8) || w.ignores(9) {
			t.Errorf("ignored are %v, want only the cgroup of what nobody selected", w.ignored)
		}

		w.mu.Lock()
		w.wanted["/bin/true"] = true
		w.alive[23] = process.Process{PID: 23, Start: 2, Exe: "/bin/true"} // of an ignored cgroup: nothing is told
		w.mu.Unlock()
		m.Reselect()
		wantTargets(t, w, 10, 20, 21, 23)
		if w.ignores(7) {
			t.Error("the cgroup is ignored although a process of it is selected now")
		}
	})
}

// TestIgnoredCgroupsAreLookedAtAgain repairs what a process that changed its
// cgroup has made wrong.
func TestIgnoredCgroupsAreLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.run(t)
		w.IgnoreCgroup(7)
		time.Sleep(rescanWithEvents + time.Second)
		synctest.Wait()
		if w.ignores(7) {
			t.Error("the cgroup is ignored for ever")
		}
	})
}

// TestAnotherSamplingReachesTheEngine at once, not at the process's next start.
func TestAnotherSamplingReachesTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"], w.sampling = true, probe.SampleRatio(0.1)
		m := w.run(t)
		if got := w.targets[10].Sampling; got != probe.SampleRatio(0.1) {
			t.Errorf("it samples by %+v", got)
		}
		w.mu.Lock()
		w.sampling = probe.SampleRatio(0.5)
		w.mu.Unlock()
		m.Reselect()
		synctest.Wait()
		if got := w.targets[10].Sampling; got != probe.SampleRatio(0.5) {
			t.Errorf("it samples by %+v", got)
		}
	})
}

// TestPropagationIsSwitchedWhileItRuns brings the engine what a user decides, both ways.
func TestPropagationIsSwitchedWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		m := w.run(t)
		for _, off := range []bool{false, true, false} {
			w.mu.Lock()
			w.untouched = off
			w.mu.Unlock()
			m.Reselect()
			synctest.Wait()
			if got := w.targets[10].Propagate; got == off {
				t.Errorf("off: %v; headers: %v", off, got)
			}
		}
	})
}
