package attach

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/detect"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/spans"
)

// world is a machine: its processes, what they run, and the engine's targets.
type world struct {
	mu       sync.Mutex
	alive    map[int]process.Process
	runtimes map[int]language.Runtime
	targets  map[uint32]probe.Target
	added    int
	refuse   error
	hangs    int // the process whose files do not answer
	events   chan probe.Process
	wanted   map[string]bool // by executable
	ignored  map[uint64]bool // by cgroup
	env      map[int]map[string]string
	files    map[int][]string
	agents   bool // are wanted
	sampling probe.Sampling
	// untouched forbids headers.
	untouched bool
}

func newWorld(ps ...process.Process) *world {
	w := &world{
		alive: make(map[int]process.Process), runtimes: make(map[int]language.Runtime),
		targets: make(map[uint32]probe.Target), events: make(chan probe.Process, 16), wanted: make(map[string]bool),
		ignored: make(map[uint64]bool),
	}
	for _, p := range ps {
		w.alive[p.PID] = p
	}
	return w
}

func (w *world) AddTarget(t probe.Target) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return w.refuse
	}
	w.targets[t.PID] = t
	w.added++
	return nil
}

func (w *world) RemoveTarget(pid uint32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.targets, pid)
	return nil
}

func (w *world) Targets() []bpf.TargetStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []bpf.TargetStatus
	for pid := range w.targets {
		all = append(all, bpf.TargetStatus{PID: pid})
	}
	return all
}

func (w *world) Processes(ctx context.Context, take func(probe.Process)) bool {
	go func() {
		for {
			select {
			case e := <-w.events:
				take(e)
			case <-ctx.Done():
				return
			}
		}
	}()
	return true
}

func (w *world) PIDs() ([]int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []int
	for pid := range w.alive {
		all = append(all, pid)
	}
	return all, nil
}

func (w *world) Read(pid int) (process.Process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.alive[pid]
	if !ok {
		return process.Process{}, procfs.ErrGone
	}
	return p, nil
}

func (w *world) Env(pid int) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.env[pid]
}

func (w *world) Files(pid int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.files[pid]
}

func (w *world) Detect(ctx context.Context, pid int) (detect.Found, error) {
	if pid == w.hangs {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		<-ctx.Done()
		return detect.Found{}, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return detect.Found{PID: pid, StartTime: w.alive[pid].Start, Runtime: w.runtimes[pid]}, nil
}

func (w *world) Select(p process.Process, parent bool) Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Verdict{Attach: w.wanted[p.Exe] || parent}
}

func (w *world) Origin(p process.Process, rt language.Runtime, _ map[string]string) (spans.Origin, bool) {
	s := identity.Service{Name: p.Name(), InstanceID: p.Name(), Language: string(rt.Language)}
	return spans.Origin{Service: s, Resource: s.ProcessResource(p.PID, p.Name()), Agent: w.agents, Sampling: w.sampling, Untouched: w.untouched}, true
}

// start adds a process and reports its exec.
func (w *world) start(p process.Process) {
	w.mu.Lock()
	w.alive[p.PID] = p
	w.mu.Unlock()
	w.events <- probe.Process{Kind: probe.ProcessExec, PID: uint32(p.PID), Start: p.Start}
}

// end reports an exit; a target is none any more then, as in the kernel.
func (w *world) end(pid int) {
	w.mu.Lock()
	p := w.alive[pid]
	delete(w.alive, pid)
	delete(w.targets, uint32(pid))
	w.mu.Unlock()
	w.events <- probe.Process{Kind: probe.ProcessExit, PID: uint32(pid), Start: p.Start}
}

// fork reports the child of a target, which is a target at once.
func (w *world) fork(p process.Process) {
	w.mu.Lock()
	w.alive[p.PID] = p
	w.targets[uint32(p.PID)] = probe.Target{PID: uint32(p.PID)}
	w.mu.Unlock()
	w.events <- probe.Process{
		Kind: probe.ProcessFork, PID: uint32(p.PID), Parent: uint32(p.Parent), Start: p.Start, Target: true,
	}
}

// exec reports that a target runs another program.
func (w *world) exec(p process.Process, environ string) {
	w.mu.Lock()
	w.alive[p.PID] = p
	w.mu.Unlock()
	w.events <- probe.Process{
		Kind: probe.ProcessExec, PID: uint32(p.PID), Parent: uint32(p.Parent), Start: p.Start, Target: true,
		Program: &probe.Program{Name: p.Name(), Args: p.Args, Environ: []byte(environ)},
	}
}

func (w *world) pids() []uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := []uint32{}
	for pid := range w.targets {
		all = append(all, pid)
	}
	slices.Sort(all)
	return all
}

// run starts a manager of the world, which ends with the test.
func (w *world) run(t *testing.T) *Manager {
	m := w.manager()
	w.runs(t, m)
	return m
}

func (w *world) manager() *Manager {
	return New(Options{
		Engine: w, Detector: w, Selector: w, Scanner: w,
		Recorder: red.NewRecorder(time.Now()), Log: slog.New(slog.DiscardHandler),
	})
}

func (w *world) runs(t *testing.T, m *Manager) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
}

func wantTargets(t *testing.T, w *world, want ...uint32) {
	t.Helper()
	synctest.Wait()
	if want == nil {
		want = []uint32{}
	}
	if diff := cmp.Diff(want, w.pids()); diff != "" {
		t.Fatalf("targets (-want +got):\n%s", diff)
	}
}

func serviceOf(m *Manager, pid uint32) string {
	o, ok := m.Origin(pid)
	if !ok {
		return ""
	}
	return o.Service.Name
}

func TestProcessesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"}, process.Process{PID: 11, Start: 1, Exe: "/bin/sh"})
		w.wanted["/bin/cart"] = true
		m := w.run(t)
		wantTargets(t, w, 10)

		w.start(process.Process{PID: 12, Start: 2, Exe: "/bin/cart"})
		wantTargets(t, w, 10, 12)
		if got := serviceOf(m, 12); got != "cart" {
			t.Errorf("the origin of a new process is %q", got)
		}

		w.end(10)
		wantTargets(t, w, 12)
		if got := serviceOf(m, 10); got != "cart" {
			t.Errorf("a process that just ended has the origin %q; its last requests are still under way", got)
		}
		time.Sleep(afterlife + time.Second)
		if got := serviceOf(m, 10); got != "" {
			t.Errorf("a process that ended long ago has the origin %q", got)
		}
	})
}

func TestDecisionsComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		m := w.run(t)
		wantTargets(t, w)

		w.mu.Lock()
		w.wanted["/bin/cart"] = true
		w.mu.Unlock()
		m.Reselect()
		wantTargets(t, w, 10)
		m.Reselect()
		wantTargets(t, w, 10)
		if w.added != 1 {
			t.Errorf("the target was added %d times", w.added)
		}

		w.mu.Lock()
		w.wanted["/bin/cart"] = false
		w.targets[77] = probe.Target{PID: 77} // a child that forked meanwhile, not reported yet
		w.alive[77] = process.Process{PID: 77, Parent: 10, Start: 3, Exe: "/bin/cart"}
		w.mu.Unlock()
		m.Reselect()
		wantTargets(t, w)
		if got := serviceOf(m, 10); got != "" {
			t.Errorf("a process that was given up has the origin %q", got)
		}
	})
}

func TestAReusedPidIsAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		w.run(t)
		wantTargets(t, w, 10)
		w.start(process.Process{PID: 10, Start: 9, Exe: "/bin/sh"}) // the exit event was lost
		wantTargets(t, w)
	})
}

func TestATargetThatRunsAnotherProgramIsAddedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/sh"})
		w.wanted["/bin/sh"] = true
		m := w.run(t)
		w.mu.Lock()
		w.runtimes[10] = language.Runtime{Server: "nginx", Language: language.C, EventLoop: true}
		w.mu.Unlock()
		w.start(process.Process{PID: 10, Start: 1, Exe: "/usr/sbin/nginx"})
		wantTargets(t, w, 10)
		if !w.targets[10].EventLoopProxy || serviceOf(m, 10) != "nginx" {
			t.Errorf("target %+v of service %s", w.targets[10], serviceOf(m, 10))
		}
	})
}

func TestInterpretersAreDetectedAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.wanted["/bin/java"] = true
		m := w.run(t)
		w.start(process.Process{PID: 10, Start: 1, Exe: "/bin/java"})
		wantTargets(t, w, 10)
		w.mu.Lock()
		w.runtimes[10] = language.Runtime{Language: language.Java, Agents: []language.Agent{{Name: "opentelemetry", Loaded: true}}}
		w.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if in := m.Instances(); len(in) != 1 || in[0].Runtime.Language != language.Java {
			t.Errorf("instances %+v", in)
		}
		if w.targets[10].Propagate {
			t.Error("an agent is alive in the process, and odi would write a second traceparent")
		}
	})
}

func TestFailuresAreCountedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(process.Process{PID: 10, Start: 1, Exe: "/bin/cart"})
		w.wanted["/bin/cart"] = true
		w.refuse = errors.New("the table of targets is full")
		m := w.run(t)
		if in := m.Instances(); len(in) != 1 || in[0].Attached || in[0].Error != "the table of targets is full" {
			t.Errorf("instances %+v", in)
		}
		if diff := cmp.Diff(map[string]uint64{"engine": 1}, m.Failures()); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
		w.mu.Lock()
		w.refuse = nil
		w.mu.Unlock()
		time.Sleep(rescanWithEvents + time.Second)
		wantTargets(t, w, 10)
		if in := m.Instances(); in[0].Error != "" {
			t.Errorf("the error stays: %+v", in)
		}
	})
}
