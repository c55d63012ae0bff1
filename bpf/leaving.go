package bpf

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/bpf/guard"
)

// leaseLength is how long headers are written after the last sign of life of
// this process. The kernel outlives it: see attachVerdict.
const leaseLength = 5 * time.Second

// drainMax bounds the wait for a target to read what its sockets hold. Sockets
// that hold more stay in their map, which costs nothing but the map.
const drainMax = 300 * time.Millisecond

// leaving takes sockets out of the socket maps.
type leaving struct {
	controls *ebpf.Map
	verdict  *ebpf.Map
	walk     *link.Iter   // over all sockets
	renewed  atomic.Int64 // monotonic, ns
	former   chan struct{}

	walking sync.Mutex // one walk at a time: they share their orders
	mu      sync.Mutex // guards what follows
	control guard.Control
	guard   *guard.Guard
}

func newLeaving(e *Engine) (*leaving, error) {
	walk, err := link.AttachIter(link.IterOptions{Program: e.progs["odi_release"], Map: e.maps["sockets"]})
	if err != nil {
		return nil, fmt.Errorf("attaching odi_release to the socket map: %w", err)
	}
	e.links = append(e.links, walk)
	l := &leaving{controls: e.maps["controls"], verdict: e.maps["verdict_sockets"], walk: walk, former: make(chan struct{}, 1)}
	e.later.Go(func() { l.release(e) })
	return l, l.renew()
}

// order changes what the programs are told.
func (l *leaving) order(change func(*guard.Control)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.control)
	if err := l.controls.Put(uint32(0), l.control); err != nil {
		return fmt.Errorf("telling the programs: %w", err)
	}
	return nil
}

// renew extends the lease, at most once a second.
func (l *leaving) renew() error {
	now := monotonic()
	if now-l.renewed.Load() < int64(time.Second) {
		return nil
	}
	l.renewed.Store(now)
	return l.order(func(c *guard.Control) { c.LeaseNanos = uint64(now + int64(leaseLength)) })
}

// fillsMaps tells whether connections of a target may enter the socket maps.
func (e *Engine) fillsMaps(t *target) bool { return t != nil && t.Propagate && !e.aside.Load() }

// Whose sockets leave the maps; see struct control in include/types.h.
const (
	everybodys    uint32 = iota
	formerTargets        // and those whose requests get no header any more
)

// all takes out the sockets of those. It returns how many had to stay.
func (l *leaving) all(of uint32) (left int, err error) {
	l.walking.Lock()
	defer l.walking.Unlock()
	if err := l.order(func(c *guard.Control) { c.Former = of }); err != nil {
		return 0, err
	}
	return guard.Drain(l.walk, drainMax)
}

// watch starts the guard, once: from here on bytes may be queued behind the
// verdict program.
func (l *leaving) watch() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.guard != nil {
		return nil
	}
	g, err := guard.Start(l.controls, l.verdict, l.walk)
	l.guard = g
	return err
}

func (l *leaving) close() error {
	l.mu.Lock()
	g := l.guard
	l.guard = nil
	l.mu.Unlock()
	if g == nil {
		return nil
	}
	return g.Close()
}

// releaseSockets takes connections out of the maps.
func (e *Engine) releaseSockets(of uint32) error {
	left, err := e.leaving.all(of)
	if left > 0 {
		e.log.Info("connections with unread bytes stay in the socket map until they close", "connections", left)
	}
	return err
}

// releaseFormer has the connections of former targets, and of those that get no header any
// more, taken out of the maps, soon: a walk over all connections serves any number of processes.
func (e *Engine) releaseFormer() {
	if e.leaving == nil {
		return
	}
	select {
	case e.leaving.former <- struct{}{}:
	default: // the next walk serves this one, too
	}
}

// release walks when it is asked to, until Close.
func (l *leaving) release(e *Engine) {
	for {
		select {
		case <-l.former:
		case <-e.closing:
			return
		}
		if err := e.releaseSockets(formerTargets); err != nil {
			e.log.Error("letting connections go", "error", err)
		}
	}
}

func (e *Engine) renewLease() error {
	if e.leaving == nil {
		return nil
	}
	return e.leaving.renew()
}

// guardVerdict makes sure that a guard runs before the first socket gets behind
// the verdict program. Without one nothing is lost either, but what a killed
// process leaves behind goes only with the connections.
func (e *Engine) guardVerdict() {
	if e.leaving == nil || e.progs["odi_arrived"] == nil {
		return
	}
	if err := e.leaving.watch(); err != nil {
		e.log.Warn("no guard: if this process is killed, connections of proxies keep its programs until they close", "reason", err)
	}
}
