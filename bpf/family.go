package bpf

import (
	"errors"
	"time"

	"github.com/cilium/ebpf"

	"github.com/odi-dev/odi/bpf/golang"
	"github.com/odi-dev/odi/bpf/probe"
)

// onNotice keeps the targets true while processes fork, exec and exit. It must
// not wait: requests are not told of before the notices that came before them.
func (e *Engine) onNotice(n notice) {
	switch n.kind {
	case noticeTakeOut:
		_ = e.maps["sockets"].Delete(n.key) // or it has been closed by now
	case noticePutBack:
		e.putBack(n)
	case noticePolls:
		e.later.Go(func() { e.onFirstPoll(n.pid) })
	case noticeGuard:
		e.later.Go(e.guardVerdict)
	case noticeTLS:
		e.later.Go(func() { e.lookForTLS(n.pid) })
	case noticeUnix:
		e.later.Go(e.attachWaking)
	default:
		e.onProcess(n)
	}
}

func (e *Engine) onProcess(n notice) {
	switch {
	case n.kind == uint32(probe.ProcessExit):
		e.forget(n)
	case n.kind == uint32(probe.ProcessFork) && n.target:
		e.adoptChild(n)
	case n.kind == uint32(probe.ProcessExec) && n.target:
		e.startAnew(n)
	}
}

// forget drops a process that has ended; its program has taken it out of the
// kernel's table.
func (e *Engine) forget(n notice) {
	e.mu.Lock()
	t := e.targets[n.pid]
	if t != nil && t.tgid == n.tgid {
		delete(e.targets, n.pid)
	}
	delete(e.removed, n.pid)
	e.mu.Unlock()
	if t != nil {
		_ = t.close() // the process is gone, and its probe with it
	}
}

func (e *Engine) adoptChild(n notice) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.removed, n.pid) // that was another process
	parent := e.targets[n.parent]
	if parent == nil || e.targets[n.pid] != nil && e.targets[n.pid].tgid == n.tgid {
		return
	}
	child := parent.Target
	child.PID = n.pid
	adopted := &target{Target: child, tgid: n.tgid, parent: n.parent, golang: parent.golang, goReason: parent.goReason, goTLS: parent.goTLS, turn: parent.turn}
	e.targets[n.pid] = adopted
	e.watchSoon(adopted, coalesce)
	e.watchTLSOfChild(adopted, parent)
}

// startAnew forgets what was true of a target's old program.
func (e *Engine) startAnew(n notice) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.targets[n.pid]; t != nil {
		t.EventLoopProxy, t.Strict, t.golang, t.goReason = false, false, false, ""
		t.goTLS, t.turn = golang.TLS{}, 0
		e.watchSoon(t, 0)
		e.watchTLSAnew(t)
	}
}

// sweepPause is the pace of looking for targets whose end was missed. None should
// be; each would hold a place in the table for ever.
const sweepPause = 30 * time.Second

// sweepNowAndThen works until Close.
func (e *Engine) sweepNowAndThen() {
	tick := time.NewTicker(sweepPause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.sweep()
			e.sessions.sweep()
			e.lookAgainForOthers()
		case <-e.closing:
			return
		}
	}
}

// sweep takes out of the kernel's table who does not exist, and out of the own one
// who is not in the kernel's any more.
func (e *Engine) sweep() (dead int) {
	var tgid uint32
	var v targetValue
	all := map[uint32]targetValue{}
	for entries := e.maps["targets"].Iterate(); entries.Next(&tgid, &v); {
		all[tgid] = v
	}
	for tgid, v := range all {
		who, err := e.finder.find(v.PID)
		if err == nil && who.tgid == tgid && who.live > 0 {
			continue
		}
		dead++
		_ = e.ignore(tgid) // or its end was seen meanwhile
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for pid, t := range e.targets {
		if err := e.maps["targets"].Lookup(t.tgid, &v); errors.Is(err, ebpf.ErrKeyNotExist) {
			delete(e.targets, pid)
			_ = t.close()
		}
	}
	return dead
}
