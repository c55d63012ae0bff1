package attach

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/odiglet/process"
)

func TestChildrenOfTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		m := w.run(t)

		w.fork(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/cart"})
		synctest.Wait()
		if got := serviceOf(m, 20); got != "cart" {
			t.Errorf("the origin of a child is %q", got)
		}
		w.exec(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/helper"}, "")
		wantTargets(t, w, 10, 20)
		if got := serviceOf(m, 20); got != "helper" {
			t.Errorf("the origin of a child with a program of its own is %q", got)
		}
		before := w.added
		time.Sleep(2 * settle)
		wantTargets(t, w, 10, 20)
		if w.added != before+1 {
			t.Errorf("a child that stays was added %d times", w.added-before)
		}
	})
}

// TestShortLives names processes that nobody can read any more, whatever has
// become of their parents.
func TestShortLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		m := w.run(t)
		added := w.added
		for i, tc := range []struct{ exe, want string }{{"", "cart"}, {"/usr/bin/curl", "curl"}} {
			child, grandchild := 20+2*i, 21+2*i
			w.fork(process.Process{PID: child, Parent: 10, Start: 2, Exe: "/bin/cart"})
			w.fork(process.Process{PID: grandchild, Parent: child, Start: 3, Exe: "/bin/cart"})
			w.end(child)
			if tc.exe != "" {
				w.exec(process.Process{PID: grandchild, Parent: 1, Start: 3, Exe: tc.exe}, "")
			}
			w.end(grandchild)
			synctest.Wait()
			time.Sleep(settle / 2)
			if got := serviceOf(m, uint32(grandchild)); got != tc.want {
				t.Errorf("%s: the origin of one that ended at once is %q, want %q", tc.exe, got, tc.want)
			}
		}
		wantTargets(t, w, 10)
		if w.added != added {
			t.Errorf("%d processes were added that had ended", w.added-added)
		}
		time.Sleep(afterlife + time.Second)
		if n := len(m.family.lives); n != 1 {
			t.Errorf("%d lives are kept, want that of the one who lives", n)
		}
	})
}

// TestAHangingDetectionHoldsNobody has one process whose files do not answer:
// the others are attached at once, and it is, too, without knowing what it runs.
func TestAHangingDetectionHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"], w.hangs = true, 10
		m := w.run(t)
		wantTargets(t, w)
		for pid := 11; pid < 40; pid++ {
			w.start(process.Process{PID: pid, Start: 2, Exe: "/bin/cart"})
			synctest.Wait()
			if !m.Attached(pid) {
				t.Fatalf("process %d waits for another", pid)
			}
		}
		time.Sleep(patience + tick)
		synctest.Wait()
		if !m.Attached(10) || w.targets[10].Propagate {
			t.Errorf("target %+v; want it attached, and its requests as they are", w.targets[10])
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff(map[string]uint64{"detection_hangs": 1}, m.Failures()); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
	})
}
