package host

import (
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/identity/program"
	"github.com/odi-dev/odi/odiglet/process"
)

// maxMembers bounds how many processes are remembered, twice: those that nobody
// asked about while as many others came are let go.
const maxMembers = 4096

// groups remembers of which group each process is. The zero value is usable, by
// several goroutines.
type groups struct {
	mu            sync.Mutex
	young, former map[int]member
}

// member is a process and what it ran when its group was found.
type member struct {
	process process.Process
	group   identity.Group
}

// of returns the group of a process: as before while it runs the same program,
// though its parent may have ended.
func (g *groups) of(p process.Process) identity.Group {
	g.mu.Lock()
	known, ok := g.find(p.PID)
	parent, _ := g.find(p.Parent)
	g.mu.Unlock()
	if ok && known.process.Same(p) && sameProgram(known.process, p) {
		return known.group
	}
	if parent.process.Start > p.Start {
		parent = member{} // another process has its pid by now
	}
	// Reads files: not under the lock.
	group := identity.GroupOf(p.PID, p.Start, program.Command{Exe: p.Exe, Args: p.Args, Files: files{p.PID}}, parent.group)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keep(member{p, group})
	return group
}

func sameProgram(p, q process.Process) bool {
	if p.Exe != q.Exe || len(p.Args) != len(q.Args) {
		return false
	}
	for i := range p.Args {
		if p.Args[i] != q.Args[i] {
			return false
		}
	}
	return true
}

// find also keeps what it finds for longer; g.mu is held.
func (g *groups) find(pid int) (member, bool) {
	m, ok := g.young[pid]
	if ok {
		return m, true
	}
	if m, ok = g.former[pid]; ok {
		g.keep(m)
	}
	return m, ok
}

// keep remembers a process; g.mu is held.
func (g *groups) keep(m member) {
	if g.young == nil || len(g.young) >= maxMembers {
		g.former, g.young = g.young, make(map[int]member)
	}
	g.young[m.process.PID] = m
}

// maxFile bounds what is read of a file that says what a program is.
const maxFile = 64 << 10

// files are those that a process sees and may read. We may read more than it, and
// what it has us read becomes a name that others see.
type files struct{ pid int }

// Dir implements program.Files.
func (f files) Dir() string {
	p, err := procfs.Host.Open(f.pid)
	if err != nil {
		return ""
	}
	defer p.Close()
	dir, err := p.Dir()
	if err != nil {
		return ""
	}
	return dir
}

// Read implements program.Files.
func (f files) Read(path string) []byte {
	p, err := procfs.Host.Open(f.pid)
	if err != nil {
		return nil
	}
	defer p.Close()
	file, err := p.OpenFile(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	uid, err := p.User()
	if err != nil || !mayRead(uid, file) {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil
	}
	return text
}

// mayRead says whether a user may read a file for sure; groups are left out.
func mayRead(uid uint32, file *os.File) bool {
	const othersRead = 0o004
	info, err := file.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && (uid == 0 || st.Uid == uid || st.Mode&othersRead != 0)
}
