package attach

import (
	"context"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/spans"
)

// watch is the search for the marker of one process, which says how its agent started.
type watch struct {
	began, last time.Time
	looking     bool
}

// due says whether it is time to look: at every tick while requests wait for it, and
// at first, when most agents start; then ever less. A slow JVM takes 25 s.
func (w watch) due(now time.Time, waited bool) bool {
	switch age := now.Sub(w.began); {
	case w.looking:
		return false
	case waited, age < 10*time.Second:
		return true
	case age < 2*time.Minute:
		return now.Sub(w.last) >= time.Second
	}
	return now.Sub(w.last) >= 10*time.Second
}

// sighting is what looking for a marker gave.
type sighting struct {
	record *record
	state  odiv1.AgentState
}

// handOver makes the agent part of the origin of a process that was started with one,
// where an agent is wanted.
func (m *Manager) handOver(r *record, origin *spans.Origin) {
	if r.agent == nil {
		m.mu.Lock()
		r.agent = handover.New(r.env, m.family.room)
		m.mu.Unlock()
	}
	if origin.Agent {
		origin.Handover = r.agent
		return
	}
	r.agent.Release()
}

// lookForMarkers lets time pass for the processes with agents, and says whether a
// record has changed.
func (m *Manager) lookForMarkers(ctx context.Context, now time.Time) (changed bool) {
	for _, r := range m.withAgents() {
		if r.agent.Tick(now) {
			m.attach(r)
			changed = true
		}
		if r.marker.began.IsZero() {
			r.marker.began = now
		}
		if r.agent.Awaits() && r.marker.due(now, r.agent.Holding()) {
			r.marker.last, r.marker.looking = now, true
			go m.lookForMarker(ctx, sighting{record: r}, r.process.PID, r.agent.Agent())
		}
	}
	return changed
}

func (m *Manager) withAgents() []*record {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []*record
	for _, r := range m.records {
		if r.agent != nil && r.attached {
			all = append(all, r)
		}
	}
	return all
}

// lookForMarker may hang, as everything that reads a process.
func (m *Manager) lookForMarker(ctx context.Context, s sighting, pid int, agent string) {
	select {
	case m.examining <- struct{}{}:
	case <-ctx.Done():
		return
	}
	s.state = handover.StateOf(agent, m.Scanner.Files(pid))
	<-m.examining
	select {
	case m.findings <- finding{marker: &s}:
	case <-ctx.Done():
	}
}

// sighted takes what came of it, and says whether that is news.
func (m *Manager) sighted(s sighting) bool {
	r := s.record
	r.marker.looking = false
	if m.find(r.process.PID) != r || !r.agent.Marked(s.state) {
		return false
	}
	if r.verdict.Attach {
		m.attach(r) // propagation may be another's now
	}
	return true
}

// Release settles what is held for agents, at the end.
func (m *Manager) Release() {
	for _, r := range m.withAgents() {
		r.agent.Release()
	}
}

// Judged makes what the node collector said of a process's agent effective: whether
// headers are written depends on it.
func (m *Manager) Judged() { m.Reselect() }

// agentOf is the agent of a process that still runs the program that is known of it.
// That of another program is over.
func (f *family) agentOf(p process.Process) *handover.Process {
	f.mu.Lock()
	l := f.lives[p.PID]
	if l == nil || l.process.Start != p.Start {
		f.mu.Unlock()
		return nil
	}
	agent, same := l.agent, l.process.Exe == p.Exe
	f.mu.Unlock()
	if same {
		return agent
	}
	agent.End()
	return nil
}
