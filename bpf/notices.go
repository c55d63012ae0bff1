package bpf

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/odi-dev/odi/bpf/probe"
)

// Layout and kinds of struct notice in include/types.h.
const (
	noticeSize     = 40
	noticeTakeOut  = 4
	noticePolls    = 5
	processBacklog = 1024 // a burst of short-lived processes
)

type notice struct {
	key    uint64
	kind   uint32
	pid    uint32
	parent uint32
	target bool
	comm   string
}

// noticeReader reads the notices ring from Load to Close and hands process
// events on to those who listen.
type noticeReader struct {
	ring *ringbuf.Reader
	done chan struct{}
	lost atomic.Uint64

	mu        sync.Mutex
	listeners map[chan probe.Process]struct{}
}

func newNoticeReader(m *ebpf.Map, on func(notice)) (*noticeReader, error) {
	ring, err := ringbuf.NewReader(m)
	if err != nil {
		return nil, fmt.Errorf("opening the notices ring: %w", err)
	}
	r := &noticeReader{ring: ring, done: make(chan struct{}), listeners: map[chan probe.Process]struct{}{}}
	go r.run(on)
	return r, nil
}

func (r *noticeReader) run(on func(notice)) {
	defer close(r.done)
	var rec ringbuf.Record
	for {
		if err := r.ring.ReadInto(&rec); err != nil {
			return // closed
		}
		if n, ok := parseNotice(rec.RawSample); ok {
			on(n)
			r.publish(n)
		}
	}
}

func parseNotice(raw []byte) (notice, bool) {
	if len(raw) < noticeSize {
		return notice{}, false
	}
	comm, _, _ := bytes.Cut(raw[24:40], []byte{0})
	return notice{
		key:    binary.NativeEndian.Uint64(raw),
		kind:   binary.NativeEndian.Uint32(raw[8:]),
		pid:    binary.NativeEndian.Uint32(raw[12:]),
		parent: binary.NativeEndian.Uint32(raw[16:]),
		target: binary.NativeEndian.Uint32(raw[20:]) != 0,
		comm:   string(comm),
	}, true
}

func (r *noticeReader) publish(n notice) {
	if n.kind == noticeTakeOut || n.kind == noticePolls {
		return
	}
	p := probe.Process{Kind: probe.ProcessKind(n.kind), PID: n.pid, Parent: n.parent, Comm: n.comm, Target: n.target}
	r.mu.Lock()
	defer r.mu.Unlock()
	for ch := range r.listeners {
		select {
		case ch <- p:
		default:
			r.lost.Add(1)
		}
	}
}

// Processes delivers process events until ctx is done. A slow receiver loses
// events, which Drops counts. Nil where the feature is unavailable.
func (e *Engine) Processes(ctx context.Context) <-chan probe.Process {
	if e.progs["odi_exec"] == nil {
		return nil
	}
	r := e.notices
	ch := make(chan probe.Process, processBacklog)
	r.mu.Lock()
	r.listeners[ch] = struct{}{}
	r.mu.Unlock()
	context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.listeners, ch)
		close(ch)
	})
	return ch
}

func (r *noticeReader) close() error {
	err := r.ring.Close()
	<-r.done
	return err
}
