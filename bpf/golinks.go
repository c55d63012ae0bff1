package bpf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/bpf/golang"
	"github.com/odi-dev/odi/bpf/openssl"
)

// useGo adds what is known about a Go binary; any failure only costs links. A Go
// program whose goroutines cannot be told apart, or one that may be Go, is not
// linked by threads: goroutines change them.
func (e *Engine) useGo(t *target, value *targetValue) {
	exe, err := os.Open(fmt.Sprintf("/proc/%d/exe", t.PID))
	if err != nil {
		return // gone
	}
	defer func() { _ = exe.Close() }() // read only
	facts, err := e.goFacts.Inspect(exe, t.PID)
	if errors.Is(err, golang.ErrNotGo) {
		return
	}
	if err != nil {
		t.goReason = err.Error()
		value.Flags |= flagStrict
		e.log.Info("goroutines cannot be told apart", "pid", t.PID, "reason", err)
		return
	}
	t.golang = true
	value.Flags |= flagGo
	value.GoID = facts.Offsets.GoID
	value.ParentGoID = facts.Offsets.ParentGoID
	value.StartPC = facts.Offsets.StartPC
	value.GM = facts.Offsets.GM
	value.MP = facts.Offsets.MP
	value.MOldP = facts.Offsets.MOldP
	value.GoIDCache = facts.Offsets.GoIDCache
	value.PersistConn = facts.Offsets.PersistConnConn
	value.Sysfd = facts.Offsets.NetFDSysfd
	value.Family = facts.Offsets.NetFDFamily
	value.WriteLoopPC = facts.WriteLoopPC
	value.GoIDGen = facts.GoIDGen
	value.TLSSlot = facts.TLS.Slot
	t.goTLS = facts.TLS
	if e.tie(t, exe, "odi_roundtrip", facts.RoundTrip) {
		value.Flags |= flagRoundTrip
	}
	if e.progs["odi_sent"] == nil {
		return // nor is HTTP/2 seen
	}
	// In this order: nothing is taken whose handing over could have been missed.
	if e.tie(t, exe, "odi_grpc_put", facts.GRPC.Put) {
		e.tie(t, exe, "odi_grpc_take", facts.GRPC.Take)
	}
	e.tieStreams(t, exe, value, &facts)
}

// tieStreams has the goroutines that serve streams of HTTP/2 known.
func (e *Engine) tieStreams(t *target, exe *os.File, value *targetValue, facts *golang.Facts) {
	for _, at := range facts.Handlers {
		if e.tie(t, exe, "odi_http2_handler", at) {
			value.Flags |= flagStreams
		}
	}
	calls := &facts.GRPC
	if !e.tie(t, exe, "odi_grpc_handler", calls.Handler) {
		return
	}
	e.tie(t, exe, "odi_grpc_reader", calls.Reader) // without it, workers are not known
	value.Flags |= flagStreams
	value.Stream = calls.Stream.Offset
	if calls.Stream.Behind {
		value.Flags |= flagStreamPoints
	}
}

// tie attaches a probe that ties goroutines to what they ask for; at 0 the executable has
// nothing to tie. It tells whether it did.
func (e *Engine) tie(t *target, exe *os.File, name string, at uint64) bool {
	if at == 0 || e.progs[name] == nil {
		return false
	}
	l, err := attachUprobe(e.progs[name], exe, at, t.PID)
	if err != nil {
		t.goReason = err.Error()
		e.log.Info("requests that other goroutines write cannot be linked", "pid", t.PID, "probe", name, "reason", err)
		return false
	}
	t.uprobes = append(t.uprobes, e.uprobes.keep(l))
	return true
}

// everyProcess is the pid for a probe that fires wherever the file is mapped.
const everyProcess = 0

// attachUprobe attaches to the open file, whatever has become of its name.
func attachUprobe(prog *ebpf.Program, file *os.File, offset uint64, pid uint32) (link.Link, error) {
	ex, err := link.OpenExecutable(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		return nil, fmt.Errorf("opening the executable: %w", err)
	}
	var l link.Link
	if features.HaveBPFLinkUprobeMulti() == nil {
		l, err = ex.UprobeMulti(nil, prog, &link.UprobeMultiOptions{Addresses: []uint64{offset}, PID: pid})
	} else { // before Linux 6.6
		l, err = ex.Uprobe("", prog, &link.UprobeOptions{Address: offset, PID: int(pid)})
	}
	if err != nil {
		return nil, fmt.Errorf("attaching to offset %#x of the executable: %w", offset, err)
	}
	return l, nil
}

// attachCookies attaches a program to functions of the open file, each with its cookie: to where
// they begin, or to where they return.
func attachCookies(prog *ebpf.Program, file *os.File, pid uint32, probes []openssl.Probe, returns bool) ([]link.Link, error) {
	if len(probes) == 0 {
		return nil, nil
	}
	ex, err := link.OpenExecutable(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		return nil, fmt.Errorf("opening the library: %w", err)
	}
	if features.HaveBPFLinkUprobeMulti() == nil {
		all := &link.UprobeMultiOptions{PID: pid}
		for _, p := range probes {
			all.Addresses, all.Cookies = append(all.Addresses, p.Offset), append(all.Cookies, uint64(p.Function))
		}
		attach := ex.UprobeMulti
		if returns {
			attach = ex.UretprobeMulti
		}
		l, err := attach(nil, prog, all)
		if err != nil {
			return nil, err
		}
		return []link.Link{l}, nil
	}
	attach := ex.Uprobe // before Linux 6.6
	if returns {
		attach = ex.Uretprobe
	}
	var links []link.Link
	for _, p := range probes {
		l, err := attach("", prog, &link.UprobeOptions{Address: p.Offset, PID: int(pid), Cookie: uint64(p.Function)})
		if err != nil {
			return links, err
		}
		links = append(links, l)
	}
	return links, nil
}

// closedAtOnce bounds the threads that wait in the kernel. It waits about 50 ms
// for each probe that is taken away, and for many at once as long as for one.
const closedAtOnce = 64

// uprobes takes probes away in the background, side by side.
type uprobes struct {
	slots   chan struct{}
	leaving sync.WaitGroup
}

func newUprobes() *uprobes { return &uprobes{slots: make(chan struct{}, closedAtOnce)} }

// keep returns the link as one whose Close does not wait. It is closed once.
func (u *uprobes) keep(l link.Link) io.Closer { return &uprobe{of: u, link: l} }

// wait returns when every probe that was closed is gone.
func (u *uprobes) wait() { u.leaving.Wait() }

type uprobe struct {
	of   *uprobes
	link link.Link
}

// Close begins to take the probe away.
func (p *uprobe) Close() error {
	p.of.leaving.Go(func() {
		p.of.slots <- struct{}{}
		defer func() { <-p.of.slots }()
		_ = p.link.Close() // its process may be gone, and the probe with it
	})
	return nil
}
