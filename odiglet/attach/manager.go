package attach

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/spans"
)

const (
	// rescanWithEvents repairs what lost process events would leave wrong.
	rescanWithEvents = time.Minute
	// rescanWithoutEvents replaces process events on kernels that have none.
	rescanWithoutEvents = time.Second
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
	reselect  chan struct{}
	ready     chan struct{}
	family    *family
	inbox     inbox
	examining chan struct{} // holds one per examination
	findings  chan finding
	settling  []settling // in the order of their time

	// turned is when the loop of Run last began a turn, in Unix nanoseconds; zero before the first.
	turned atomic.Int64

	mu       sync.RWMutex
	records  map[int]*record
	failures map[string]uint64
}

// New returns a manager; nothing happens before Run.
func New(o Options) *Manager {
	return &Manager{
		Options:   o,
		reselect:  make(chan struct{}, 1),
		ready:     make(chan struct{}),
		family:    newFamily(),
		inbox:     inbox{news: make(chan struct{}, 1)},
		examining: make(chan struct{}, maxExamined),
		findings:  make(chan finding),
		records:   make(map[int]*record),
		failures:  make(map[string]uint64),
	}
}

// Run follows the processes of the machine until ctx ends. It detaches nothing
// then: closing the engine does.
func (m *Manager) Run(ctx context.Context) error {
	every := m.listen(ctx) // before the scan, so that nothing falls between them
	m.want()
	if err := m.scan(ctx); err != nil {
		return err
	}
	rescan, clock := time.NewTicker(every), time.NewTicker(tick)
	defer rescan.Stop()
	defer clock.Stop()
	settled := time.NewTimer(m.untilSettled())
	defer settled.Stop()
	for {
		m.turned.Store(time.Now().UnixNano())
		m.sayReady()
		different := true
		select {
		case <-ctx.Done():
			return nil
		case <-m.inbox.news:
			m.followAll(ctx)
		case f := <-m.findings:
			different = m.examined(f)
		case <-settled.C:
			m.lookAtSettled(ctx)
		case <-m.reselect:
			m.want()
			m.decideAll(ctx)
			m.meetStrangers(ctx)
		case <-rescan.C:
			m.rescan(ctx)
		case now := <-clock.C:
			different = m.onTick(ctx, now)
		}
		if different {
			m.changed()
		}
		settled.Reset(m.untilSettled())
	}
}

// listen asks for process events, and says how often to scan beside them.
func (m *Manager) listen(ctx context.Context) time.Duration {
	if m.Engine.Processes(ctx, m.take) {
		return rescanWithEvents
	}
	return rescanWithoutEvents
}

// Busy is how long the manager has been at the same turn: well below a second,
// or a minute where it attaches to a thousand programs at once.
func (m *Manager) Busy() time.Duration {
	turned := m.turned.Load()
	if turned == 0 {
		return 0
	}
	return time.Since(time.Unix(0, turned))
}

// sayReady closes ready once nobody waits any more.
func (m *Manager) sayReady() {
	select {
	case <-m.ready:
	default:
		if !m.isWaiting() {
			close(m.ready)
		}
	}
}

// followAll takes the events that have come.
func (m *Manager) followAll(ctx context.Context) {
	for _, e := range m.inbox.all() {
		m.follow(ctx, e)
	}
}

// isWaiting says whether a selected process is neither attached nor refused yet.
func (m *Manager) isWaiting() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.records {
		if r.looking && !r.attached && r.verdict.Attach {
			return true
		}
	}
	return false
}

// rescan finds what no event told of.
func (m *Manager) rescan(ctx context.Context) {
	m.want() // a process may have changed its cgroup since that was ignored
	if err := m.scan(ctx); err != nil {
		m.Log.Error("looking for processes", "error", err)
	}
}

// Ready is closed after the first look at all processes, when the selected ones
// are attached or refused.
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
// ended. One that no event told of goes by its parent's.
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
	o, known, undecided := m.family.origin(pid)
	if !undecided {
		return o, known
	}
	l, known := m.family.find(pid)
	if !known || l.silent || l.origin != nil { // meanwhile
		return l.origin, known
	}
	origin, ok := m.Selector.Origin(l.process, l.runtime, l.env)
	if !ok {
		return nil, true
	}
	if origin.Agent {
		origin.Handover = l.agent
	}
	m.Recorder.Add(origin.Service.Key(), origin.Service.Resource())
	return m.family.call(pid, l.seq, &origin), true
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

// Failures counts failed attempts to detect or attach, by reason, and the process
// events that came too fast, which the next scan makes up for.
func (m *Manager) Failures() map[string]uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := maps.Clone(m.failures)
	m.inbox.mu.Lock()
	defer m.inbox.mu.Unlock()
	if m.inbox.lost > 0 {
		all["process_backlog"] = m.inbox.lost
	}
	return all
}
