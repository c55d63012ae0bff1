package attach

import (
	"sync"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/spans"
)

const (
	// measured is how long the metrics of an instance are kept after its last
	// process: what the kernel holds is handed over within 50 ms.
	measured = 5 * time.Second
	// afterlife is how long an ended process keeps its name. Its connections may
	// live on in others, and with them requests that it began.
	afterlife = time.Minute
	// maxDeparted bounds the ended processes that are kept, the latest ones: what
	// a machine starts in some ten seconds at most.
	maxDeparted = 8192
)

// life is what names a target, while it runs and for some time after.
type life struct {
	process process.Process
	env     map[string]string
	runtime language.Runtime
	agent   *handover.Process // nil: none
	seq     uint64            // of the event that it stands for; see family.take
	origin  *spans.Origin     // nil: nobody has asked yet
	counted bool              // the instance of its origin has it
	silent  bool              // no target any more
	ended   time.Time
}

// family knows the targets and their descendants from process events alone, so
// that a process has a name even if it is gone before anybody has looked at it.
// What the manager finds out by looking replaces that. It may be used by several
// goroutines.
type family struct {
	mu        sync.Mutex
	seq       uint64
	lives     map[int]*life
	instances map[identity.Key]int // counted lives by service instance
	orphans   []identity.Key       // instances that were left by a life
	recent    []*life              // ended; their metrics are kept
	departed  []*life              // ended before those
	room      *handover.Room
}

func newFamily() *family {
	return &family{lives: make(map[int]*life), instances: make(map[identity.Key]int), room: new(handover.Room)}
}

// now is the number of the latest event.
func (f *family) now() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seq
}

// take notes an event and returns its number. Events come in their order.
func (f *family) take(e probe.Process, now time.Time) uint64 {
	seq, over := f.note(e, now)
	over.End() // outside of the lock: it hands on what was held
	return seq
}

// note also returns the agent's process whose program is over.
func (f *family) note(e probe.Process, now time.Time) (seq uint64, over *handover.Process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	l := f.lives[int(e.PID)]
	if l != nil && l.process.Start != e.Start {
		l = nil // of another process, which had the pid before
	}
	switch {
	case e.Kind == probe.ProcessFork:
		f.born(e)
	case e.Kind == probe.ProcessExec && e.Program != nil:
		f.restart(e, l)
		over = agentOf(l)
	case e.Kind == probe.ProcessExit && l != nil:
		f.end(l, now)
		over = l.agent
	}
	return f.seq, over
}

func agentOf(l *life) *handover.Process {
	if l == nil {
		return nil
	}
	return l.agent
}

// born takes the child of a target: the same program in a new process.
func (f *family) born(e probe.Process) {
	parent := f.lives[int(e.Parent)]
	if parent == nil {
		return // the manager looks
	}
	child := &life{process: parent.process, env: parent.env, runtime: parent.runtime, agent: parent.agent.Fork(), seq: f.seq}
	child.process.PID, child.process.Parent, child.process.Start = int(e.PID), int(e.Parent), e.Start
	f.lives[int(e.PID)] = child
}

// restart takes a target's new program.
func (f *family) restart(e probe.Process, before *life) {
	p := e.Program
	l := &life{seq: f.seq, env: kept(p.Environ)}
	l.process = process.Process{
		PID: int(e.PID), Parent: int(e.Parent), Start: e.Start,
		Exe: p.Name, Args: p.Args, Container: procfs.ContainerOf(p.Cgroup),
	}
	if before != nil {
		if l.process.Container.ID == "" { // no cgroup v2
			l.process.Container = before.process.Container
		}
		if p.Cut {
			inherit(l.env, before.env)
		}
		f.uncount(before)
	}
	l.agent = handover.New(l.env, f.room)
	f.lives[int(e.PID)] = l
}

// keepEnv says which variables name a service, or its agent.
func keepEnv(name string) bool { return identity.KeepEnv(name) || handover.KeepEnv(name) }

// kept returns those variables.
func kept(environ []byte) map[string]string {
	env := procfs.ParseEnviron(environ, keepEnv)
	for name := range env {
		if !keepEnv(name) {
			delete(env, name)
		}
	}
	return env
}

// inherit adds what may have been in the part of an environment that was cut off.
func inherit(env, from map[string]string) {
	for name, value := range from {
		if _, has := env[name]; !has {
			env[name] = value
		}
	}
}

func (f *family) end(l *life, now time.Time) {
	if l.ended.IsZero() {
		l.ended = now
		f.recent = append(f.recent, l)
	}
}

// gone ends the life of a process whose end no event told of.
func (f *family) gone(p process.Process, now time.Time) {
	f.mu.Lock()
	var over *handover.Process
	if l := f.lives[p.PID]; l != nil && l.process.Start == p.Start {
		f.end(l, now)
		over = l.agent
	}
	f.mu.Unlock()
	over.End()
}

// find returns a copy.
func (f *family) find(pid int) (life, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lives[pid]
	if l == nil {
		return life{}, false
	}
	return *l, true
}

// origin is as whom the requests of a process are reported. That of one which is silent is nil, and
// so is that of one which nobody has asked for: undecided says so.
func (f *family) origin(pid int) (o *spans.Origin, known, undecided bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lives[pid]
	if l == nil {
		return nil, false, false
	}
	return l.origin, true, !l.silent && l.origin == nil
}

// watches says whether events have told that the engine watches a process.
func (f *family) watches(p process.Process) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lives[p.PID]
	return l != nil && l.process.Start == p.Start && l.ended.IsZero() && !l.silent
}

// know takes what was found out about a process by looking. What events have told
// of it since is newer.
func (f *family) know(k life) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lives[k.process.PID]
	if l != nil && l.seq > k.seq {
		return
	}
	if l == nil || l.process.Start != k.process.Start {
		l = &life{}
		f.lives[k.process.PID] = l
	}
	l.process, l.env, l.runtime, l.agent, l.seq, l.silent = k.process, k.env, k.runtime, k.agent, k.seq, k.silent
	f.name(l, k.origin)
}

// call gives a process an origin, unless it has got one meanwhile, and returns
// which it has.
func (f *family) call(pid int, seq uint64, origin *spans.Origin) *spans.Origin {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lives[pid]
	if l == nil || l.seq != seq || l.silent {
		return origin
	}
	if l.origin == nil {
		f.name(l, origin)
	}
	return l.origin
}

// name counts a process with its instance; f.mu is held.
func (f *family) name(l *life, origin *spans.Origin) {
	if origin != nil {
		f.instances[origin.Service.Key()]++
	}
	f.uncount(l)
	l.origin, l.counted = origin, origin != nil
}

func (f *family) uncount(l *life) {
	if !l.counted {
		return
	}
	l.counted = false
	id := l.origin.Service.Key()
	if f.instances[id]--; f.instances[id] == 0 {
		delete(f.instances, id)
		f.orphans = append(f.orphans, id)
	}
}

// forget lets go of those who ended long ago. It returns the instances that have
// no process any more.
func (f *family) forget(now time.Time) (orphans []identity.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.recent) > 0 && now.Sub(f.recent[0].ended) >= measured {
		f.uncount(f.recent[0])
		f.departed, f.recent = append(f.departed, f.recent[0]), f.recent[1:]
	}
	for len(f.departed) > 0 && (now.Sub(f.departed[0].ended) >= afterlife || len(f.departed)+len(f.recent) > maxDeparted) {
		l := f.departed[0]
		f.departed = f.departed[1:]
		f.uncount(l)
		if f.lives[l.process.PID] == l {
			delete(f.lives, l.process.PID)
		}
	}
	for _, id := range f.orphans {
		if f.instances[id] == 0 {
			orphans = append(orphans, id)
		}
	}
	f.orphans = nil
	return orphans
}
