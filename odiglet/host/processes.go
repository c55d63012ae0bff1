package host

import (
	"errors"
	"time"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/odiglet/process"
)

// Errors of Read that a user can do something about.
var (
	ErrNoProcess = errors.New("no such process")
	ErrNoProgram = errors.New("a kernel thread, or a process that has ended, runs no program")
)

// Read reads one process of this machine.
func Read(pid int) (process.Process, error) {
	p, err := process.Read(procfs.Host, pid)
	switch {
	case errors.Is(err, process.ErrNoProgram):
		return process.Process{}, ErrNoProgram
	case errors.Is(err, procfs.ErrGone):
		return process.Process{}, ErrNoProcess
	}
	return p, err
}

// Listeners returns the processes that listen on a TCP port.
func Listeners(port int) ([]process.Process, error) {
	pids, err := process.Listeners(port)
	if err != nil {
		return nil, err
	}
	var all []process.Process
	for _, pid := range pids {
		if p, err := Read(pid); err == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// everywhere is the pace of looking into other network namespaces, where a look
// walks the connections of the whole machine.
const everywhere = 30 * time.Second

// Port watches who listens on a TCP port. It is for one goroutine.
type Port struct {
	Number int
	known  map[uint32]bool
	looked time.Time
}

// Listeners returns the processes that listen on the port where there may be news
// since the last call, else none. That is found out cheaply for this network
// namespace, and at a slow pace for those of containers.
func (p *Port) Listeners(now time.Time) ([]process.Process, error) {
	sockets, err := process.ListeningSockets(p.Number)
	if err != nil {
		return nil, err
	}
	news := p.known == nil || now.Sub(p.looked) >= everywhere
	for inode := range sockets {
		news = news || !p.known[inode]
	}
	p.known = sockets
	if !news {
		return nil, nil
	}
	p.looked = now
	return Listeners(p.Number)
}
