package bpf

import (
	"io"
	"sync"

	"github.com/cilium/ebpf"

	"github.com/odi-dev/odi/bpf/libc"
	"github.com/odi-dev/odi/internal/procfs"
)

// aloneMax is how many targets of one library have a probe of their own. The
// kernel goes through all probes of a file, for all processes that map it, to take
// one away: 64 take 10 ms, 300 half a second, 1,000 take 24 s. Further targets
// share a probe that also fires for the processes that nobody watches; where there
// are so many targets those are few, and ioctl is called seldom.
const aloneMax = 64

// ioctlProbes are the probes on the ioctl of C libraries.
type ioctlProbes struct {
	prog *ebpf.Program
	away *uprobes

	mu  sync.Mutex
	ofs map[procfs.FileIdentity]*library
}

// library counts the targets whose watch is on one file.
type library struct {
	alone   int
	sharing int
	shared  io.Closer
}

func newIoctlProbes(prog *ebpf.Program, away *uprobes) *ioctlProbes {
	return &ioctlProbes{prog: prog, away: away, ofs: make(map[procfs.FileIdentity]*library)}
}

// attach places a probe for a target, or has it share one.
func (p *ioctlProbes) attach(at libc.Place, pid uint32) (io.Closer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.ofs[at.Library]
	if l == nil {
		l = &library{}
	}
	share := l.alone >= aloneMax
	if share && l.shared != nil {
		l.sharing++
		return &placed{of: p, on: at.Library, shared: true}, nil
	}
	if share {
		pid = everyProcess
	}
	link, err := attachUprobe(p.prog, at.File, at.Offset, pid)
	if err != nil {
		return nil, err
	}
	p.ofs[at.Library] = l
	probe := p.away.keep(link)
	if share {
		l.shared, probe = probe, nil
		l.sharing++
	} else {
		l.alone++
	}
	return &placed{of: p, on: at.Library, shared: share, own: probe}, nil
}

// placed is the part of a target in a probe.
type placed struct {
	of     *ioctlProbes
	on     procfs.FileIdentity
	shared bool
	own    io.Closer
}

// Close begins to take the probe away, if it was the target's own or nobody
// shares it any more. It is called once.
func (t *placed) Close() error {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	l := t.of.ofs[t.on]
	gone := t.own
	if t.shared {
		l.sharing--
		if l.sharing == 0 {
			gone, l.shared = l.shared, nil
		}
	} else {
		l.alone--
	}
	if l.alone == 0 && l.sharing == 0 {
		delete(t.of.ofs, t.on)
	}
	if gone == nil {
		return nil
	}
	return gone.Close()
}
