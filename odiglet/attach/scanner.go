package attach

import (
	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/odiglet/process"
)

// Proc is the Scanner of this machine.
type Proc struct{}

// PIDs lists the processes that exist now.
func (Proc) PIDs() ([]int, error) { return procfs.Host.PIDs() }

// Read reads one process.
func (Proc) Read(pid int) (process.Process, error) { return process.Read(procfs.Host, pid) }

// Env is empty where the process has ended or may not be read: then its
// service goes by the name of its program or workload.
func (Proc) Env(pid int) map[string]string {
	p, err := procfs.Host.Open(pid)
	if err != nil {
		return nil
	}
	defer p.Close()
	env, err := p.Environ(keepEnv)
	if err != nil {
		return nil
	}
	return env
}

// Files is empty where the process has ended or may not be looked at.
func (Proc) Files(pid int) []string {
	p, err := procfs.Host.Open(pid)
	if err != nil {
		return nil
	}
	defer p.Close()
	mapped, _ := p.MappedFiles() // each of the two may be all that there is
	open, _ := p.OpenFiles()
	return append(mapped, open...)
}
