package bpf

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/odi-dev/odi/bpf/probe"
)

// Layout and kinds of struct notice and struct program in include/types.h.
const (
	noticeSize    = 56
	noticeTakeOut = 4
	noticePolls   = 5
	noticeGuard   = 6
	noticePutBack = 7
	noticeUnix    = 8
	noticeTLS     = 9

	programLengths = noticeSize
	programName    = programLengths + 16
	programRest    = programName + 64
	programEnvMax  = 4096
)

type notice struct {
	key        uint64
	startNanos uint64
	kind       uint32
	tgid       uint32
	pid        uint32
	parent     uint32
	target     bool
	fd         uint32
	comm       string
	program    *probe.Program // of a target's exec
}

// noticeReader reads the notices ring from Load to Close and hands process
// events on to those who listen.
type noticeReader struct {
	ring    *ringbuf.Reader
	done    chan struct{}
	resting atomic.Bool // every notice that was read has been acted on

	mu        sync.Mutex
	listeners map[*func(notice)]struct{}
}

func newNoticeReader(m *ebpf.Map, on func(notice)) (*noticeReader, error) {
	ring, err := ringbuf.NewReader(m)
	if err != nil {
		return nil, fmt.Errorf("opening the notices ring: %w", err)
	}
	r := &noticeReader{ring: ring, done: make(chan struct{}), listeners: map[*func(notice)]struct{}{}}
	go r.run(on)
	return r, nil
}

func (r *noticeReader) run(on func(notice)) {
	defer close(r.done)
	var rec ringbuf.Record
	for {
		r.resting.Store(true)
		err := r.ring.ReadInto(&rec)
		r.resting.Store(false)
		if err != nil {
			return // closed
		}
		if n, ok := parseNotice(rec.RawSample); ok {
			on(n)
			r.publish(n)
		}
	}
}

// catchUpMax bounds the wait of requests for the notices before them: the event
// ring holds 300 ms of a busy machine.
const catchUpMax = 100 * time.Millisecond

// catchUp returns when the notices that are in the ring have been acted on.
func (r *noticeReader) catchUp() {
	if r.ring.AvailableBytes() == 0 && r.resting.Load() {
		return
	}
	for end := time.Now().Add(catchUpMax); time.Now().Before(end); time.Sleep(50 * time.Microsecond) {
		if r.ring.AvailableBytes() == 0 && r.resting.Load() {
			return
		}
	}
}

func parseNotice(raw []byte) (notice, bool) {
	if len(raw) < noticeSize {
		return notice{}, false
	}
	u64, u32 := binary.NativeEndian.Uint64, binary.NativeEndian.Uint32
	n := notice{
		key: u64(raw), startNanos: u64(raw[8:]),
		kind: u32(raw[16:]), tgid: u32(raw[20:]), pid: u32(raw[24:]), parent: u32(raw[28:]),
		target: u32(raw[32:]) != 0, fd: u32(raw[36:]),
		comm: text(raw[40:56]),
	}
	if n.kind == uint32(probe.ProcessExec) && len(raw) >= programRest {
		n.program = parseProgram(raw)
	}
	return n, true
}

// parseProgram copies what it takes. What is too long for a field was cut.
func parseProgram(raw []byte) *probe.Program {
	rest := raw[programRest:]
	next := func(length int) (part []byte) {
		n := min(binary.NativeEndian.Uint32(raw[length:]), uint32(len(rest)))
		part, rest = rest[:n], rest[n:]
		return part
	}
	groups, args, env := next(programLengths+8), next(programLengths), next(programLengths+4)
	p := &probe.Program{
		Name:    text(raw[programName:programRest]),
		Environ: bytes.Clone(env),
		Cut:     len(env) == programEnvMax,
	}
	if len(args) > 0 {
		p.Args = strings.Split(string(bytes.TrimSuffix(args, []byte{0})), "\x00")
	}
	for name := range strings.SplitSeq(string(groups), "\x00") { // the innermost first
		if name != "" && name != "/" {
			p.Cgroup = "/" + name + p.Cgroup
		}
	}
	return p
}

// text is what stands before the first zero.
func text(raw []byte) string {
	s, _, _ := bytes.Cut(raw, []byte{0})
	return string(s)
}

func (r *noticeReader) publish(n notice) {
	if n.kind >= noticeTakeOut { // no event of a process
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for take := range r.listeners {
		(*take)(n)
	}
}

// Processes calls take for each process event until ctx is done, one at a time
// and before any request that came after it is delivered. take must not wait. It
// returns false where the feature is unavailable.
func (e *Engine) Processes(ctx context.Context, take func(probe.Process)) bool {
	if e.progs["odi_exec"] == nil {
		return false
	}
	r := e.notices
	listener := func(n notice) {
		take(probe.Process{
			Kind: probe.ProcessKind(n.kind), PID: n.pid, Parent: n.parent, Start: e.finder.ticks(n.startNanos),
			Comm: n.comm, Target: n.target, Cgroup: n.key, Program: n.program,
		})
	}
	r.mu.Lock()
	r.listeners[&listener] = struct{}{}
	r.mu.Unlock()
	context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.listeners, &listener)
	})
	return true
}

func (r *noticeReader) close() error {
	err := r.ring.Close()
	<-r.done
	return err
}
