package bpf

import (
	"errors"
	"io"
	"sync"

	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/internal/procfs"
)

// aloneMax is how many targets of one file have probes of their own. The
// kernel goes through all probes of a file, for all processes that map it, to take
// one away: 64 take 10 ms, 300 half a second, 1,000 take 24 s. Further targets
// share probes that also fire for the processes that nobody watches; where there
// are so many targets those are few.
const aloneMax = 64

// sharedProbes are probes of one kind, by the file that they are in.
type sharedProbes struct {
	away *uprobes

	mu  sync.Mutex
	ofs map[procfs.FileIdentity]*probedFile
}

// probedFile counts the targets that have probes in one file.
type probedFile struct {
	alone   int
	sharing int
	shared  []io.Closer
}

func newSharedProbes(away *uprobes) *sharedProbes {
	return &sharedProbes{away: away, ofs: make(map[procfs.FileIdentity]*probedFile)}
}

// attach has place make the probes of a target in a file, or has the target share some. place
// gets the process, or everyProcess; what it returns beside an error is taken away again.
func (p *sharedProbes) attach(on procfs.FileIdentity, pid uint32, place func(pid uint32) ([]link.Link, error)) (io.Closer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.ofs[on]
	if f == nil {
		f = &probedFile{}
	}
	share := f.alone >= aloneMax || f.shared != nil
	if share && f.shared != nil {
		f.sharing++
		return &placed{of: p, on: on, shared: true}, nil
	}
	if share {
		pid = everyProcess
	}
	probes, err := p.place(place, pid)
	if err != nil {
		return nil, err
	}
	p.ofs[on] = f
	if share {
		f.shared, probes = probes, nil
		f.sharing++
	} else {
		f.alone++
	}
	return &placed{of: p, on: on, shared: share, own: probes}, nil
}

// place makes probes whose Close does not wait.
func (p *sharedProbes) place(place func(pid uint32) ([]link.Link, error), pid uint32) (probes []io.Closer, err error) {
	links, err := place(pid)
	for _, l := range links {
		probes = append(probes, p.away.keep(l))
	}
	if err != nil {
		return nil, errors.Join(err, closeAll(probes))
	}
	return probes, nil
}

// share has probes in a file for every process from now on, until the last one that shares them has left.
func (p *sharedProbes) share(on procfs.FileIdentity, place func(pid uint32) ([]link.Link, error)) (io.Closer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.ofs[on]
	if f == nil {
		f = &probedFile{}
	}
	if f.shared == nil {
		probes, err := p.place(place, everyProcess)
		if err != nil {
			return nil, err
		}
		f.shared = probes
	}
	p.ofs[on] = f
	f.sharing++
	return &placed{of: p, on: on, shared: true}, nil
}

// placed is the part of a target in the probes of a file.
type placed struct {
	of     *sharedProbes
	on     procfs.FileIdentity
	shared bool
	own    []io.Closer
}

// Close begins to take the probes away, if they were the target's own or nobody
// shares them any more. It is called once.
func (t *placed) Close() error {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	f := t.of.ofs[t.on]
	gone := t.own
	if t.shared {
		f.sharing--
		if f.sharing == 0 {
			gone, f.shared = f.shared, nil
		}
	} else {
		f.alone--
	}
	if f.alone == 0 && f.sharing == 0 {
		delete(t.of.ofs, t.on)
	}
	return closeAll(gone)
}

func closeAll(all []io.Closer) error {
	var errs []error
	for _, c := range all {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
