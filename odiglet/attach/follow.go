package attach

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/odiglet/process"
)

const (
	// settle is how long a descendant of a target may run before anybody looks
	// what it is. The kernel watches it from its first instruction on, and events
	// have named it; the many that end sooner need no more.
	settle = 20 * time.Millisecond
	// maxInbox bounds the events that wait: some ten thousand processes, in a few MiB.
	maxInbox = 1 << 16
)

// event is a process event with its number; see family.take.
type event struct {
	probe.Process
	seq uint64
}

// inbox holds events for the one goroutine that acts on them.
type inbox struct {
	news chan struct{}

	mu     sync.Mutex
	events []event
	lost   uint64
}

func (in *inbox) put(e event) {
	in.mu.Lock()
	if len(in.events) < maxInbox {
		in.events = append(in.events, e)
	} else {
		in.lost++ // the next scan makes up for it
	}
	in.mu.Unlock()
	select {
	case in.news <- struct{}{}:
	default: // told already
	}
}

func (in *inbox) all() []event {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.events
	in.events = nil
	return all
}

// take is called by the engine for each event. From here on its process has a name.
func (m *Manager) take(e probe.Process) {
	m.inbox.put(event{e, m.family.take(e, time.Now())})
}

// follow acts on one process event.
func (m *Manager) follow(ctx context.Context, e event) {
	pid := int(e.PID)
	r := m.find(pid)
	if r != nil && r.seq >= e.seq {
		return // read since
	}
	switch {
	case e.Kind == probe.ProcessExit:
		if r != nil && r.process.Start == e.Start {
			m.family.gone(r.process, time.Now()) // it may have got its life after the event
			m.drop(pid)
		}
	case e.Kind == probe.ProcessFork || e.Program != nil:
		m.adopt(ctx, e, r)
	case e.Kind == probe.ProcessExec:
		m.look(ctx, pid)
		m.ignore(e.Process)
	}
}

// adopt takes over a process that the engine watches already: the child of a
// target, or a target with a new program.
func (m *Manager) adopt(ctx context.Context, e event, before *record) {
	l, known := m.family.find(int(e.PID))
	if !known || l.process.Start != e.Start {
		m.look(ctx, int(e.PID))
		return
	}
	if l.seq != e.seq || !l.ended.IsZero() {
		return // another event follows
	}
	inherited := m.inherits(e, before)
	r := &record{
		process: l.process, met: time.Now(), seq: e.seq, inferred: true, attached: true, inherited: inherited,
		verdict: m.Selector.Select(l.process, inherited), runtime: l.runtime, env: l.env, agent: l.agent,
	}
	if before != nil {
		r.was = cmp.Or(before.origin, before.was)
	}
	m.keep(r)
	if !r.verdict.Attach {
		m.act(ctx, r)
		return
	}
	m.settling = append(m.settling, settling{r, time.Now().Add(settle)})
}

// inherits says whether one whom the engine took for its parent's sake, or kept for
// its own, is still wanted. Whoever has ended has not been given up.
func (m *Manager) inherits(e event, before *record) bool {
	switch parent := m.find(int(e.Parent)); {
	case before != nil:
		return before.attached || parent != nil && parent.attached
	case e.Kind == probe.ProcessFork && parent != nil:
		return parent.attached
	}
	return true
}

// settling is a process that is looked at soon.
type settling struct {
	record *record
	at     time.Time
}

// untilSettled is how long the next one has; a long time if there is none.
func (m *Manager) untilSettled() time.Duration {
	if len(m.settling) == 0 {
		return time.Hour
	}
	return time.Until(m.settling[0].at)
}

// lookAtSettled looks at those that have run long enough.
func (m *Manager) lookAtSettled(ctx context.Context) {
	now := time.Now()
	for len(m.settling) > 0 && !m.settling[0].at.After(now) {
		r := m.settling[0].record
		m.settling = m.settling[1:]
		if m.find(r.process.PID) == r {
			m.act(ctx, r)
		}
	}
}

// scan compares the records with what exists.
func (m *Manager) scan(ctx context.Context) error {
	pids, err := m.Scanner.PIDs()
	if err != nil {
		return err
	}
	slices.Sort(pids) // parents before most children
	exist := make(map[int]bool, len(pids))
	for _, pid := range pids {
		exist[pid] = true
		m.compare(ctx, pid)
	}
	for _, pid := range m.pids() {
		if !exist[pid] {
			m.vanished(pid)
		}
	}
	return nil
}

// compare meets a process that is not the one of its record, and tries again what
// failed.
func (m *Manager) compare(ctx context.Context, pid int) {
	seq := m.family.now()
	p, err := m.Scanner.Read(pid)
	if err != nil {
		return // ended, or a kernel thread
	}
	known := m.find(pid)
	switch {
	case known == nil || !known.process.Same(p) || !known.inferred && known.process.Exe != p.Exe:
		m.meet(ctx, p, seq)
	case known.verdict.Attach && !known.attached:
		m.act(ctx, known)
	}
}

// look reads a process that has just started a program.
func (m *Manager) look(ctx context.Context, pid int) {
	seq := m.family.now()
	p, err := m.Scanner.Read(pid)
	if err != nil {
		if !errors.Is(err, procfs.ErrGone) && !errors.Is(err, process.ErrNoProgram) {
			m.Log.Debug("reading a process", "pid", pid, "error", err)
		}
		return // its exit event follows
	}
	m.meet(ctx, p, seq)
}

// meet takes a process that is new, or runs a new program, and acts on what the
// selector says. seq is the number of an event before it was read.
func (m *Manager) meet(ctx context.Context, p process.Process, seq uint64) {
	before := m.find(p.PID)
	if before != nil && !before.process.Same(p) {
		m.vanished(p.PID) // another process has its pid by now
		before = nil
	}
	r := &record{process: p, met: time.Now(), seq: seq, attached: m.family.watches(p), agent: m.family.agentOf(p)}
	if before != nil {
		r.attached, r.origin = before.attached, before.origin
	}
	r.inherited = r.attached || m.Attached(p.Parent)
	r.verdict = m.Selector.Select(p, r.inherited)
	if before == nil && !r.attached && !r.verdict.any() {
		return // nobody may tell of its end
	}
	m.keep(r)
	m.act(ctx, r)
}

func (m *Manager) keep(r *record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[r.process.PID] = r
}

func (m *Manager) drop(pid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, pid)
}

// vanished forgets a process whose end no event told of.
func (m *Manager) vanished(pid int) {
	r := m.find(pid)
	if r == nil {
		return
	}
	if r.attached {
		m.detach(pid)
	}
	m.family.gone(r.process, time.Now())
	m.drop(pid)
}
