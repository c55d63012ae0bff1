package process

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/internal/procfs"
)

// ErrNoProgram says that a process runs no program: a kernel thread or a zombie.
var ErrNoProgram = errors.New("process runs no program")

// Process is what is known of one process at the time of reading.
type Process struct {
	PID    int
	Parent int
	// Start is in clock ticks since boot. With the pid it names one process for
	// as long as the machine runs.
	Start uint64
	// Exe is the path of the executable as the process sees it.
	Exe string
	// Args is the command line; processes may write over it.
	Args []string
	// Container is empty on the host.
	Container procfs.Container
}

// readTries bounds how often a process is read that starts a program meanwhile.
const readTries = 3

// Read reads one process. The error wraps procfs.ErrGone when there is none.
func Read(fs procfs.FS, pid int) (Process, error) {
	p, err := fs.Open(pid)
	if err != nil {
		return Process{}, err
	}
	defer p.Close()
	for range readTries - 1 {
		read, err := readOnce(p)
		// The executable of one program and the command line of the next make neither.
		after, gone := p.Exe()
		if err != nil || gone != nil || after == read.Exe {
			return read, err
		}
	}
	return readOnce(p)
}

func readOnce(p *procfs.Process) (Process, error) {
	pid := p.PID()
	exe, err := p.Exe()
	if errors.Is(err, procfs.ErrGone) {
		return Process{}, fmt.Errorf("reading process %d: %w: %w", pid, ErrNoProgram, err)
	}
	if err != nil {
		return Process{}, err
	}
	parent, start, err := readStat(p)
	if err != nil {
		return Process{}, err
	}
	args, err := p.Args()
	if err != nil {
		return Process{}, err
	}
	container, err := p.Container()
	if err != nil {
		return Process{}, err
	}
	return Process{PID: pid, Parent: parent, Start: start, Exe: exe, Args: args, Container: container}, nil
}

// Same says whether both are the same process, though it may run another program by now.
func (p Process) Same(q Process) bool { return p.PID == q.PID && p.Start == q.Start }

// Name is the file name of the executable.
func (p Process) Name() string { return path.Base(p.Exe) }

// Answers says whether users may mean the process by name: the path or the file
// name of its executable, or the name it was called by (python3 for python3.13).
func (p Process) Answers(name string) bool {
	if strings.Contains(name, "/") {
		return p.Exe == name
	}
	if p.Name() == name {
		return true
	}
	return len(p.Args) > 0 && path.Base(p.Args[0]) == name
}

func readStat(p *procfs.Process) (parent int, start uint64, err error) {
	parent, err = p.Parent()
	if err != nil {
		return 0, 0, err
	}
	start, err = p.StartTime()
	if err != nil {
		return 0, 0, err
	}
	return parent, start, nil
}

// String names the process for logs.
func (p Process) String() string { return p.Name() + "[" + strconv.Itoa(p.PID) + "]" }
