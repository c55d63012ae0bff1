package attach

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/odiglet/process"
)

// TestWhenAProcessWasMet holds that each program has a time of its own, which later looks leave.
func TestWhenAProcessWasMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		m := w.run(t)
		met := map[int]time.Time{10: time.Now()}
		holds := func(when string) {
			t.Helper()
			synctest.Wait()
			got := map[int]time.Time{}
			for _, in := range m.Instances() {
				got[in.Process.PID] = in.Met
			}
			if diff := cmp.Diff(met, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		holds("at the beginning")
		time.Sleep(time.Second)
		w.fork(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/cart"})
		met[20] = time.Now()
		holds("after a fork")
		time.Sleep(2 * settle)
		m.Reselect()
		holds("once the child is looked at")
		time.Sleep(time.Second)
		w.exec(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/helper"}, "")
		met[20] = time.Now()
		holds("after an exec")
		time.Sleep(rescanWithEvents + time.Second)
		holds("after a scan")
	})
}
