package handover

import (
	"sync"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

const (
	// patience is how long a request waits for the process to say how its agent
	// started. Agents start before the program: one that serves and has said nothing
	// has none.
	patience = 10 * time.Second
	// maxHeld bounds the requests that one process holds, some 1 MiB.
	maxHeld = 1000
	// witnessRequests and witnessPatience are when an agent that has reported nothing
	// is known to see nothing: exporters send every 5 s, and one request may be of a
	// kind that agents leave out.
	witnessRequests = 20
	witnessPatience = 10 * time.Second
	// keepDoubtful is how long a request is kept for the case that the agent sees
	// nothing: what twenty requests take where one comes each second, and the time to tell.
	keepDoubtful = 45 * time.Second
)

// Request is one that waits for the decision who reports it. One of the two is
// called, once.
type Request interface {
	// Report makes it a span of the odiglet's.
	Report()
	// Leave leaves it to the agent.
	Leave()
}

// Verdict is what is to be done with a request.
type Verdict uint8

// The verdicts.
const (
	// Report means that nobody else does.
	Report Verdict = iota
	// Hold means that Take is to be asked.
	Hold
	// Leave means that the agent reports it.
	Leave
)

// Process is one process that was started with an agent. A nil one has none, and
// everything of it is reported. It may be used by several goroutines; requests are
// released outside of its lock.
type Process struct {
	agent string
	// enough requests that the agent does not report say that it sees none; 0: nobody can tell.
	enough int
	room   *Room

	mu    sync.Mutex
	state odiv1.AgentState
	// waived says that nobody waits for the marker any more, though it may come.
	waived  bool
	waiting time.Time // since then requests do
	vouched bool      // the agent has reported a request
	ended   bool
	held    []held
	served  int       // requests that the agent ought to have reported,
	since   time.Time // and when the one came that makes silence mean something
}

type held struct {
	at      time.Time
	request Request
}

// New returns the process of an environment; nil if that names no agent.
func New(env map[string]string, room *Room) *Process {
	agent := AgentOf(env)
	if agent == "" {
		return nil
	}
	return &Process{agent: agent, enough: enough(env), room: room, state: odiv1.AgentPending}
}

// Fork returns the child of a process, which has the parent's agent and the
// parent's marker: both are part of its memory.
func (p *Process) Fork() *Process {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &Process{
		agent: p.agent, enough: p.enough, room: p.room,
		state: p.state, waived: p.waived, vouched: p.vouched,
	}
}

// Agent as language@version; empty for none.
func (p *Process) Agent() string {
	if p == nil {
		return ""
	}
	return p.agent
}

// State is what became of the agent; empty for none.
func (p *Process) State() odiv1.AgentState {
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Propagates says whether the engine may write headers into the process's requests:
// not where an agent or SDK does, or may turn out to.
func (p *Process) Propagates() bool {
	if p == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.state {
	case odiv1.AgentFailed, odiv1.AgentUnsupported, odiv1.AgentSeesNothing:
		return true
	}
	return false
}

// Awaits says whether the marker may still come.
func (p *Process) Awaits() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ended && (p.state == odiv1.AgentPending || p.waived)
}

// Holding says that requests wait for the marker.
func (p *Process) Holding() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == odiv1.AgentPending && len(p.held) > 0
}

// Judge says what is to be done with a request. served says that it is one that an
// agent which works reports.
func (p *Process) Judge(served bool, now time.Time) Verdict {
	if p == nil {
		return Report
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == odiv1.AgentAlive && served {
		p.serve(now)
	}
	return p.verdict()
}

func (p *Process) verdict() Verdict {
	switch {
	case p.state == odiv1.AgentPending && !p.waived && !p.ended:
		return Hold
	case p.state == odiv1.AgentAlive && !p.vouched && p.enough > 0 && !p.ended:
		return Hold
	case p.state == odiv1.AgentAlive:
		return Leave
	}
	return Report
}

func (p *Process) serve(now time.Time) {
	if p.served++; p.served == p.enough {
		p.since = now
	}
}

// Take holds a request, or settles it where that is decided meanwhile or there is
// no room for more.
func (p *Process) Take(r Request, now time.Time) {
	p.mu.Lock()
	v := p.verdict()
	var free []held
	switch {
	case v != Hold:
		free = []held{{now, r}}
	case len(p.held) < maxHeld && p.room.take():
		p.held = append(p.held, held{now, r})
		if p.waiting.IsZero() {
			p.waiting = now
		}
	case p.state == odiv1.AgentPending:
		// Too many to wait for: they go out, and what comes is reported until the marker is seen.
		p.waived = true
		free, v = append(p.empty(), held{now, r}), Report
	default:
		free, v = []held{{now, r}}, Leave
	}
	p.mu.Unlock()
	settle(free, v)
}

// empty takes what is held; p.mu is held.
func (p *Process) empty() []held {
	all := p.held
	p.held = nil
	p.room.give(len(all))
	return all
}

func settle(all []held, v Verdict) {
	for _, h := range all {
		if v == Report {
			h.request.Report()
		} else {
			h.request.Leave()
		}
	}
}

// Marked takes what the process says of its agent, and says whether that is news.
func (p *Process) Marked(state odiv1.AgentState) bool {
	if p == nil || state == "" {
		return false
	}
	p.mu.Lock()
	known := p.state == state
	if known || p.ended || p.state != odiv1.AgentPending && !p.waived {
		p.waived = p.waived && !known
		p.mu.Unlock()
		return false
	}
	p.state, p.waived = state, false
	var free []held
	v := p.verdict()
	if v != Hold {
		free = p.empty()
	}
	p.mu.Unlock()
	settle(free, v)
	return true
}

// Tick lets time pass, and says whether that changed who reports.
func (p *Process) Tick(now time.Time) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	var free []held
	v, changed := Report, false
	switch {
	case p.state == odiv1.AgentPending && !p.ended && !p.waiting.IsZero() && now.Sub(p.waiting) >= patience:
		// The marker may still come, and is taken then.
		p.state, p.waived, changed = odiv1.AgentFailed, true, true
		free = p.empty()
	case p.state == odiv1.AgentAlive:
		n := 0
		for n < len(p.held) && now.Sub(p.held[n].at) >= keepDoubtful {
			n++
		}
		free, v = p.held[:n:n], Leave
		p.held = p.held[n:]
		p.room.give(n)
	}
	p.mu.Unlock()
	settle(free, v)
	return changed
}

// Vouch notes that the agent has reported requests of the process's container, and
// says whether that changed who reports.
func (p *Process) Vouch() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	var free []held
	late := p.state == odiv1.AgentSeesNothing
	if late {
		p.state = odiv1.AgentAlive // it was only slow
	}
	if p.vouched = true; p.state == odiv1.AgentAlive {
		free = p.empty()
	}
	p.mu.Unlock()
	settle(free, Leave)
	return late
}

// Doubt notes that the node collector, which has taken what comes from the agent of the
// process's container since some time, has got nothing of it. It says whether the
// agent therefore sees nothing: then the odiglet reports again.
func (p *Process) Doubt(since, now time.Time) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	if p.state != odiv1.AgentAlive || p.vouched || p.ended || p.enough == 0 || p.served < p.enough {
		p.mu.Unlock()
		return false
	}
	if p.since.After(since) {
		since = p.since
	}
	if now.Sub(since) < witnessPatience {
		p.mu.Unlock()
		return false
	}
	p.state = odiv1.AgentSeesNothing
	free := p.empty()
	p.mu.Unlock()
	settle(free, Report)
	return true
}

// Release settles what is held where no agent is wanted any more, or odi ends: what
// no agent has claimed is reported.
func (p *Process) Release() {
	if p != nil {
		p.release(false)
	}
}

// End is Release of one that has ended or runs another program. What of it still
// comes is settled at once.
func (p *Process) End() {
	if p != nil {
		p.release(true)
	}
}

func (p *Process) release(ends bool) {
	p.mu.Lock()
	p.ended = p.ended || ends
	v := Report
	if p.state == odiv1.AgentAlive {
		v = Leave
	}
	free := p.empty()
	p.mu.Unlock()
	settle(free, v)
}
