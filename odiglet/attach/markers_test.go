package attach

import (
	"testing"
	"testing/synctest"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/process"
)

const (
	agentEnv = "ODI_AGENT=python@1\x00"
	state    = "/odi/python/1/agent/state/"
)

// withAgent is a world with one process that was started with an agent.
func withAgent(pid int) *world {
	w := newWorld(process.Process{PID: pid, Start: 1, Exe: "/bin/cart"})
	w.wanted["/bin/cart"], w.agents = true, true
	w.env = map[int]map[string]string{pid: {"ODI_AGENT": "python@1"}}
	w.files = make(map[int][]string)
	w.runtimes[pid] = language.Runtime{Language: language.Python}
	return w
}

func (w *world) says(pid int, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[pid] = append(w.files[pid], state+what)
}

func (w *world) propagates(pid uint32) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.targets[pid].Propagate
}

// wantHandover compares what the requests of a process meet.
func wantHandover(t *testing.T, m *Manager, pid uint32, want odiv1.AgentState, verdict handover.Verdict) {
	t.Helper()
	origin, ok := m.Origin(pid)
	if !ok {
		t.Fatalf("process %d is nobody's", pid)
	}
	if got := origin.Handover.State(); got != want {
		t.Errorf("the state of %d is %q, want %q", pid, got, want)
	}
	if got := origin.Handover.Judge(false, time.Now()); got != verdict {
		t.Errorf("a request of %d meets %v, want %v", pid, got, verdict)
	}
}

func TestAnAgentIsAwaited(t *testing.T) {
	for name, tc := range map[string]struct {
		says      string
		want      odiv1.AgentState
		verdict   handover.Verdict
		propagate bool
	}{
		"it started":      {"alive", odiv1.AgentAlive, handover.Hold, false}, // until the collector has heard of it
		"it failed":       {"failed", odiv1.AgentFailed, handover.Report, true},
		"it does not fit": {"unsupported", odiv1.AgentUnsupported, handover.Report, true},
		"an own SDK":      {"own-sdk", odiv1.AgentOwnSDK, handover.Report, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := withAgent(10)
				m := w.run(t)
				synctest.Wait()
				wantTargets(t, w, 10)
				wantHandover(t, m, 10, odiv1.AgentPending, handover.Hold)
				time.Sleep(25 * time.Second) // a JVM takes as long
				if w.propagates(10) {
					t.Error("headers are written into the requests of an agent")
				}
				w.says(10, tc.says)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				wantHandover(t, m, 10, tc.want, tc.verdict)
				if w.propagates(10) != tc.propagate {
					t.Errorf("propagates: %v", !tc.propagate)
				}
			})
		})
	}
}

// TestWhereNoAgentIsWanted is a process with an agent of before: eBPF reports it.
func TestWhereNoAgentIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withAgent(10)
		w.agents = false
		m := w.run(t)
		synctest.Wait()
		if o, _ := m.Origin(10); o.Handover != nil {
			t.Error("an agent may report")
		}
		w.says(10, "alive")
		w.mu.Lock()
		w.agents = true
		w.mu.Unlock()
		m.Reselect()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantHandover(t, m, 10, odiv1.AgentAlive, handover.Hold)
	})
}

// TestChildrenHaveTheirParentsAgent until they run another program, which has its own.
func TestChildrenHaveTheirParentsAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withAgent(10)
		w.says(10, "alive")
		m := w.run(t)
		time.Sleep(2 * time.Second)
		w.fork(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/cart"})
		synctest.Wait()
		wantHandover(t, m, 20, odiv1.AgentAlive, handover.Hold)
		w.mu.Lock()
		w.env[20] = map[string]string{"ODI_AGENT": "python@1"}
		w.mu.Unlock()
		w.exec(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/other"}, agentEnv)
		synctest.Wait()
		wantHandover(t, m, 20, odiv1.AgentPending, handover.Hold)
		time.Sleep(2 * time.Second)
		if w.propagates(20) {
			t.Error("headers are written before the child's agent has spoken")
		}
		w.mu.Lock()
		w.env[20] = nil
		w.mu.Unlock()
		w.exec(process.Process{PID: 20, Parent: 10, Start: 2, Exe: "/bin/third"}, "")
		time.Sleep(2 * time.Second)
		wantHandover(t, m, 20, "", handover.Report)
		if !w.propagates(20) {
			t.Error("a program without an agent does not propagate")
		}
	})
}

// TestHeldRequestsGoOutAtTheEnd of a process, of its program, and of its selection.
func TestHeldRequestsGoOutAtTheEnd(t *testing.T) {
	for name, end := range map[string]func(*world, *Manager){
		"it ends": func(w *world, _ *Manager) { w.end(10) },
		"it runs another program": func(w *world, _ *Manager) {
			w.exec(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"}, "")
		},
		"it is selected no more": func(w *world, m *Manager) {
			w.mu.Lock()
			w.wanted["/bin/cart"] = false
			w.mu.Unlock()
			m.Reselect()
		},
		"odi ends":        func(_ *world, m *Manager) { m.Release() },
		"it never speaks": func(*world, *Manager) { time.Sleep(11 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := withAgent(10)
				m := w.run(t)
				synctest.Wait()
				r := &request{}
				o, _ := m.Origin(10)
				o.Handover.Take(r, time.Now())
				end(w, m)
				time.Sleep(time.Second)
				synctest.Wait()
				if r.reported != 1 || r.left != 0 {
					t.Errorf("the held request was reported %d and left %d times", r.reported, r.left)
				}
			})
		})
	}
}

type request struct{ reported, left int }

func (r *request) Report() { r.reported++ }
func (r *request) Leave()  { r.left++ }
