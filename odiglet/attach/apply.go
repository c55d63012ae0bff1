package attach

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/odi-dev/odi/odiglet/spans"
)

// decideAll asks the selector again about all processes.
func (m *Manager) decideAll(ctx context.Context) {
	for _, pid := range m.pids() {
		r := m.find(pid)
		if r == nil {
			continue
		}
		m.mu.Lock()
		r.inherited = m.parentAttached(r)
		r.verdict = m.Selector.Select(r.process, r.inherited)
		m.mu.Unlock()
		m.act(ctx, r)
	}
	m.removeStrays(ctx)
}

// parentAttached is Attached of the parent for one who holds the lock. Whose
// parent has ended stays a target's child.
func (m *Manager) parentAttached(r *record) bool {
	parent := m.records[r.process.Parent]
	if parent == nil {
		return r.inherited
	}
	return parent.attached
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
	switch decide(r.verdict, r.detected) {
	case stepLeave:
		m.giveUp(r)
	case stepLook:
		m.examine(ctx, r)
	case stepWatch:
		m.attach(r)
	case stepLookOnly:
		m.giveUp(r)
		m.examine(ctx, r)
	}
}

// attach makes the process a target, or brings the target up to date. Its origin
// is known first: requests may end before the engine has returned.
func (m *Manager) attach(r *record) {
	origin, ok := m.Selector.Origin(r.process, r.runtime, r.env)
	if !ok {
		m.giveUp(r)
		return
	}
	m.handOver(r, &origin)
	if r.origin == nil || !r.origin.Equal(origin) || r.origin.Handover != origin.Handover {
		m.setOrigin(r, &origin)
	}
	want := target(r)
	if !r.attached || r.target != want {
		if err := m.Engine.AddTarget(want); err != nil {
			m.notAttached(r, err)
			return
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r.attached, r.target = true, want
	if r.detected {
		r.err = ""
	}
}

// notAttached keeps why. One that has ended is no failure; its exit event follows.
func (m *Manager) notAttached(r *record, err error) {
	if isGone(err) || errors.Is(err, os.ErrNotExist) {
		return
	}
	m.giveUp(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail(r, attachReason(err), err)
}

// setOrigin says as whom a process is reported; nil: not at all.
func (m *Manager) setOrigin(r *record, origin *spans.Origin) {
	before := cmp.Or(r.origin, r.was)
	switch {
	case origin != nil && before != nil:
		m.Recorder.Replace(origin.Service.Key(), before.Service.Resource(), origin.Service.Resource())
	case origin != nil:
		m.Recorder.Add(origin.Service.Key(), origin.Service.Resource())
	}
	m.family.know(life{
		process: r.process, env: r.env, runtime: r.runtime, agent: r.agent, seq: r.seq, origin: origin, silent: origin == nil,
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	r.origin = origin
}

// giveUp makes a process no target. Requests of it that end later give nothing.
func (m *Manager) giveUp(r *record) {
	if !r.attached && r.origin == nil {
		return
	}
	if r.attached {
		m.detach(r.process.PID)
	}
	m.mu.Lock()
	r.attached = false
	m.mu.Unlock()
	m.setOrigin(r, nil)
	r.agent.Release()
}

func (m *Manager) detach(pid int) {
	if err := m.Engine.RemoveTarget(uint32(pid)); err != nil {
		m.Log.Error("detaching", "pid", pid, "error", err)
	}
}

// fail notes a failure; m.mu is held.
func (m *Manager) fail(r *record, reason string, err error) {
	m.failures[reason]++
	if r.err != err.Error() {
		r.err = err.Error()
		m.Log.Warn("a process is not instrumented", "process", r.process.String(), "reason", reason, "error", err)
	}
}
