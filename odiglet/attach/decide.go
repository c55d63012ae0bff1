package attach

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/detect"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/spans"
)

// lateLooks are the ages at which a program is detected again: interpreters map
// their libraries, and agents start, some time after exec.
func lateLooks(now time.Time) []time.Time {
	return []time.Time{now.Add(time.Second), now.Add(5 * time.Second)}
}

// meet takes a process that is new, or runs a new program, and acts on what the
// selector says.
func (m *Manager) meet(ctx context.Context, p process.Process) {
	before := m.find(p.PID)
	if before != nil && !before.process.Same(p) {
		m.exited(p.PID) // another process has its pid by now
		before = nil
	}
	parent := m.Attached(p.Parent) || before != nil && before.attached
	r := &record{process: p, verdict: m.Selector.Select(p, parent)}
	if before != nil {
		r.attached, r.origin = before.attached, before.origin
	}
	m.mu.Lock()
	m.records[p.PID] = r
	delete(m.departed, p.PID)
	m.mu.Unlock()
	m.act(ctx, r)
}

// decideAll asks the selector again about all processes.
func (m *Manager) decideAll(ctx context.Context) {
	for _, pid := range m.pids() {
		r := m.find(pid)
		if r == nil {
			continue
		}
		m.mu.Lock()
		r.verdict = m.Selector.Select(r.process, m.parentAttached(r))
		m.mu.Unlock()
		m.act(ctx, r)
	}
	m.removeStrays(ctx)
}

// parentAttached is isTarget of the parent for one who holds the lock.
func (m *Manager) parentAttached(r *record) bool {
	parent := m.records[r.process.Parent]
	return parent != nil && parent.attached
}

// removeStrays catches children that the engine took as targets while their
// parent was being given up.
func (m *Manager) removeStrays(ctx context.Context) {
	for _, t := range m.Engine.Targets() {
		pid := int(t.PID)
		if m.find(pid) == nil {
			m.look(ctx, pid)
		}
		if !m.Attached(pid) {
			m.detach(pid)
		}
	}
}

// act makes a record what its verdict says.
func (m *Manager) act(ctx context.Context, r *record) {
	switch {
	case r.verdict.Attach:
		m.detect(ctx, r)
		m.attach(r)
	case r.verdict.Detect:
		m.giveUp(r)
		m.detect(ctx, r)
	default:
		m.giveUp(r)
	}
}

// detect finds out what a process runs, once per program.
func (m *Manager) detect(ctx context.Context, r *record) {
	if r.detected {
		return
	}
	m.detectAgain(ctx, r)
	m.mu.Lock()
	r.looks = lateLooks(time.Now())
	m.mu.Unlock()
}

// detectAgain returns whether the runtime is another than before.
func (m *Manager) detectAgain(ctx context.Context, r *record) bool {
	found, err := m.Detector.Detect(ctx, r.process.PID)
	env := m.Scanner.Env(r.process.PID)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case errors.Is(err, procfs.ErrGone) || err == nil && found.StartTime != r.process.Start:
		return false // its exit event follows
	case err != nil:
		m.fail(r, detectReason(err), err)
		return false
	}
	before := r.runtime
	r.detected, r.runtime, r.env = true, found.Runtime, env
	return differ(before, found.Runtime)
}

func differ(a, b language.Runtime) bool {
	return a.Label() != b.Label() || a.Version != b.Version || a.EventLoop != b.EventLoop ||
		a.Strict != b.Strict || instrumentedByItself(a) != instrumentedByItself(b)
}

// attach makes the process a target, or brings the target up to date. Its origin
// is known first: requests may end before the engine has returned.
func (m *Manager) attach(r *record) {
	origin, ok := m.Selector.Origin(r.process, r.runtime, r.env)
	if !ok {
		m.giveUp(r)
		return
	}
	if r.origin == nil || !r.origin.Equal(origin) {
		m.setOrigin(r, &origin)
	}
	want := target(r)
	if !r.attached || r.target != want {
		if err := m.Engine.AddTarget(want); err != nil {
			m.giveUp(r)
			m.mu.Lock()
			defer m.mu.Unlock()
			m.fail(r, attachReason(err), err)
			return
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r.attached, r.target, r.err = true, want, ""
}

// setOrigin also keeps the metrics of the service instance alive, or lets them go
// with its last process.
func (m *Manager) setOrigin(r *record, origin *spans.Origin) {
	before := r.origin
	switch {
	case origin != nil && before != nil:
		m.Recorder.Replace(origin.Service.Key(), before.Service.Resource(), origin.Service.Resource())
	case origin != nil:
		m.Recorder.Add(origin.Service.Key(), origin.Service.Resource())
	}
	m.mu.Lock()
	r.origin = origin
	orphaned := before != nil && !m.instanceHasProcess(before.Service.Key())
	m.mu.Unlock()
	if orphaned {
		m.Recorder.Forget(before.Service.Key())
	}
}

func (m *Manager) instanceHasProcess(of identity.Key) bool {
	for _, r := range m.records {
		if r.origin != nil && r.origin.Service.Key() == of {
			return true
		}
	}
	return false
}

func target(r *record) probe.Target {
	return probe.Target{
		PID:            uint32(r.process.PID),
		Name:           r.process.String(),
		EventLoopProxy: r.runtime.EventLoop,
		Strict:         r.runtime.Strict,
		Propagate:      !instrumentedByItself(r.runtime),
		Children:       true,
	}
}

// instrumentedByItself says that an agent or SDK is alive in the process, which
// writes its own traceparent.
func instrumentedByItself(rt language.Runtime) bool {
	for _, a := range rt.Agents {
		if a.Loaded {
			return true
		}
	}
	return false
}

// giveUp makes a process no target. Requests of it that end later give nothing.
func (m *Manager) giveUp(r *record) {
	if r.attached {
		m.detach(r.process.PID)
	}
	m.mu.Lock()
	r.attached = false
	m.mu.Unlock()
	if r.origin != nil {
		m.setOrigin(r, nil)
	}
}

func (m *Manager) detach(pid int) {
	if err := m.Engine.RemoveTarget(uint32(pid)); err != nil {
		m.Log.Error("detaching", "pid", pid, "error", err)
	}
}

// exited forgets a process that ended.
func (m *Manager) exited(pid int) {
	r := m.find(pid)
	if r == nil {
		return
	}
	if r.attached {
		m.detach(pid)
	}
	m.mu.Lock()
	delete(m.records, pid)
	if r.origin != nil {
		m.departed[pid] = departed{r.origin, time.Now().Add(afterlife)}
	}
	m.mu.Unlock()
}

// onTick detects late once more, and forgets those who ended. It says whether a
// record has changed.
func (m *Manager) onTick(ctx context.Context, now time.Time) (changed bool) {
	for _, pid := range m.due(now) {
		r := m.find(pid)
		if r == nil || !m.detectAgain(ctx, r) {
			continue
		}
		changed = true
		if r.verdict.Attach {
			m.attach(r)
		}
	}
	m.forgetDeparted(now)
	return changed
}

func (m *Manager) forgetDeparted(now time.Time) {
	m.mu.Lock()
	var orphaned []identity.Key
	for pid, d := range m.departed {
		if now.Before(d.until) {
			continue
		}
		delete(m.departed, pid)
		if of := d.origin.Service.Key(); !m.instanceHasProcess(of) {
			orphaned = append(orphaned, of)
		}
	}
	m.mu.Unlock()
	for _, of := range orphaned {
		m.Recorder.Forget(of)
	}
}

// due takes the late looks whose time has come off the records.
func (m *Manager) due(now time.Time) []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	var pids []int
	for pid, r := range m.records {
		if len(r.looks) > 0 && now.After(r.looks[0]) {
			r.looks = r.looks[1:]
			pids = append(pids, pid)
		}
	}
	return pids
}

// fail notes a failure; m.mu is held.
func (m *Manager) fail(r *record, reason string, err error) {
	m.failures[reason]++
	if r.err != err.Error() {
		r.err = err.Error()
		m.Log.Warn("a process is not instrumented", "process", r.process.String(), "reason", reason, "error", err)
	}
}

func detectReason(err error) string {
	switch {
	case errors.Is(err, detect.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return "detection_hangs"
	case errors.Is(err, os.ErrPermission):
		return "permission"
	}
	return "detection"
}

func attachReason(err error) string {
	switch {
	case errors.Is(err, procfs.ErrGone), errors.Is(err, os.ErrProcessDone):
		return "process_gone"
	case errors.Is(err, os.ErrPermission):
		return "permission"
	}
	return "engine"
}
