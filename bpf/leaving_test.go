package bpf

import (
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestManyLeaveAtOnce lets go of many processes while a walk over the connections
// hangs: nobody waits for it, one more walk serves them all, and those that have ended
// need none.
func TestManyLeaveAtOnce(t *testing.T) {
	e := load(t)
	const living, ended = 30, 30
	var pids []uint32
	for i := range living + ended {
		cmd := program.Command(t, "sleep", "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := e.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Propagate: true}); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, uint32(cmd.Process.Pid))
		end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
		if i < ended {
			end()
		} else {
			t.Cleanup(end)
		}
	}
	e.leaving.walking.Lock()
	walk := func(after string, remove []uint32, want int) {
		t.Helper()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, pid := range remove {
				if err := e.RemoveTarget(pid); err != nil {
					t.Error(err)
				}
			}
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: letting go waits for a walk over the connections", after)
		}
		time.Sleep(100 * time.Millisecond)
		if got := len(e.leaving.former); got != want {
			t.Errorf("%s: %d walks are asked for, want %d", after, got, want)
		}
	}
	walk("they have ended", pids[:ended], 0)
	walk("they live", pids[ended:], 1)
	e.leaving.walking.Unlock()
	for end := time.Now().Add(10 * time.Second); len(e.leaving.former) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the walk that was asked for does not come")
		}
	}
	if left := e.Targets(); len(left) > 0 {
		t.Errorf("%d targets are left", len(left))
	}
}
