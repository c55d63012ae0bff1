package attach

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/spans"
)

const (
	// rescanWithEvents repairs what lost process events would leave wrong.
	rescanWithEvents = 30 * time.Second
	// rescanWithoutEvents replaces process events on kernels that have none.
	rescanWithoutEvents = time.Second
	// afterlife is how long the origin of an ended process is kept; the engine
	// hands over what the kernel holds within 50 ms.
	afterlife = 5 * time.Second
	// tick is the pace of late detection and of forgetting.
	tick = 250 * time.Millisecond
)

// Options are what a manager needs.
type Options struct {
	Engine   Engine
	Detector Detector
	Selector Selector
	Scanner  Scanner
	Recorder *red.Recorder
	Log      *slog.Logger
	// Changed is called, not too often, after a record has changed. May be nil.
	Changed func()
}

// Manager attaches the engine to the selected processes.
type Manager struct {
	Options
	reselect chan struct{}
	ready    chan struct{}

	mu       sync.RWMutex
	records  map[int]*record
	departed map[int]departed
	failures map[string]uint64
}

// New returns a manager; nothing happens before Run.
func New(o Options) *Manager {
	return &Manager{
		Options:  o,
		reselect: make(chan struct{}, 1),
		ready:    make(chan struct{}),
		records:  make(map[int]*record),
		departed: make(map[int]departed),
		failures: make(map[string]uint64),
	}
}

// Run follows the processes of the machine until ctx ends. It detaches nothing
// then: closing the engine does.
func (m *Manager) Run(ctx context.Context) error {
	events := m.Engine.Processes(ctx) // before the scan, so that nothing falls between them
	every := rescanWithEvents
	if events == nil {
		every = rescanWithoutEvents
	}
	if err := m.scan(ctx); err != nil {
		return err
	}
	close(m.ready)
	rescan, clock := time.NewTicker(every), time.NewTicker(tick)
	defer rescan.Stop()
	defer clock.Stop()
	for {
		different := true
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-events:
			if !ok {
				events, different = nil, false
				break
			}
			m.follow(ctx, e)
		case <-m.reselect:
			m.decideAll(ctx)
		case <-rescan.C:
			m.rescan(ctx)
		case now := <-clock.C:
			different = m.onTick(ctx, now)
		}
		if different {
			m.changed()
		}
	}
}

// rescan finds what no event told of.
func (m *Manager) rescan(ctx context.Context) {
	if err := m.scan(ctx); err != nil {
		m.Log.Error("looking for processes", "error", err)
	}
}

// Ready is closed after the first look at all processes.
func (m *Manager) Ready() <-chan struct{} { return m.ready }

// Reselect asks the selector about every process again, soon.
func (m *Manager) Reselect() {
	select {
	case m.reselect <- struct{}{}:
	default: // asked for already
	}
}

func (m *Manager) changed() {
	if m.Changed != nil {
		m.Changed()
	}
}

// follow takes one process event.
func (m *Manager) follow(ctx context.Context, e probe.Process) {
	pid := int(e.PID)
	switch e.Kind {
	case probe.ProcessExec:
		m.look(ctx, pid)
	case probe.ProcessFork:
		m.adopt(ctx, pid, int(e.Parent))
	case probe.ProcessExit:
		m.exited(pid)
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
		p, err := m.Scanner.Read(pid)
		if err != nil {
			continue // ended, or a kernel thread
		}
		known := m.find(pid)
		switch {
		case known == nil || !known.process.Same(p) || known.process.Exe != p.Exe:
			m.meet(ctx, p)
		case known.verdict.Attach && !known.attached:
			m.act(ctx, known) // it failed before
		}
	}
	for _, pid := range m.pids() {
		if !exist[pid] {
			m.exited(pid)
		}
	}
	return nil
}

// look reads a process that has just started a program.
func (m *Manager) look(ctx context.Context, pid int) {
	p, err := m.Scanner.Read(pid)
	if err != nil {
		if !errors.Is(err, procfs.ErrGone) && !errors.Is(err, process.ErrNoProgram) {
			m.Log.Debug("reading a process", "pid", pid, "error", err)
		}
		return // its exit event follows
	}
	m.meet(ctx, p)
}

// adopt takes the child of a target over. The engine watches it already. One
// that ended before it could be read is reported as its parent is.
func (m *Manager) adopt(ctx context.Context, pid, parent int) {
	p, err := m.Scanner.Read(pid)
	if err == nil {
		m.meet(ctx, p)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if of := m.records[parent]; of != nil && of.origin != nil {
		m.departed[pid] = departed{of.origin, time.Now().Add(afterlife)}
	}
}

func (m *Manager) find(pid int) *record {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.records[pid]
}

func (m *Manager) pids() []int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.records))
}

// Origin finds the origin of a process that is a target, or was one until it
// ended. A child whose fork was not reported yet goes by its parent's.
func (m *Manager) Origin(pid uint32) (*spans.Origin, bool) {
	if o, known := m.originOf(int(pid)); known {
		return o, o != nil
	}
	p, err := m.Scanner.Read(int(pid))
	if err != nil {
		return nil, false
	}
	o, _ := m.originOf(p.Parent)
	return o, o != nil
}

func (m *Manager) originOf(pid int) (o *spans.Origin, known bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if r, ok := m.records[pid]; ok {
		return r.origin, true
	}
	d, ok := m.departed[pid]
	return d.origin, ok
}

// Attached says whether a process is a target.
func (m *Manager) Attached(pid int) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	r := m.records[pid]
	return r != nil && r.attached
}

// Instances returns what is known of the processes that the selector asked about, by pid.
func (m *Manager) Instances() []Instance {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []Instance
	for _, pid := range slices.Sorted(maps.Keys(m.records)) {
		if r := m.records[pid]; r.verdict.Detect || r.verdict.Attach {
			all = append(all, r.instance())
		}
	}
	return all
}

// Failures counts failed attempts to detect or attach, by reason.
func (m *Manager) Failures() map[string]uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.failures)
}
