package host

import (
	"errors"

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
