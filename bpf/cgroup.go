package bpf

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// errNoCgroup2 means that no cgroup v2 hierarchy is mounted.
var errNoCgroup2 = errors.New("no cgroup v2 mount found")

// connects is the program that puts connections into the socket maps, attached to
// each cgroup that needs it. It may be used by several goroutines.
type connects struct {
	mu    sync.Mutex
	links map[uint64]link.Link // by the cgroup's inode
}

// attach serves the processes below a cgroup, which path leads to.
func (c *connects) attach(prog *ebpf.Program, path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fmt.Errorf("looking at cgroup %s: %w", path, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links[st.Ino] != nil {
		return nil
	}
	l, err := link.AttachCgroup(link.CgroupOptions{Path: path, Attach: ebpf.AttachCGroupSockOps, Program: prog})
	if err != nil {
		return fmt.Errorf("attaching to cgroup %s: %w", path, err)
	}
	if c.links == nil {
		c.links = make(map[uint64]link.Link)
	}
	c.links[st.Ino] = l
	return nil
}

// serves says whether a process is below a cgroup that is served.
func (c *connects) serves(who found) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(who.groups[:], func(id uint64) bool { return c.links[id] != nil })
}

func (c *connects) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, l := range c.links {
		errs = append(errs, l.Close())
	}
	c.links = nil
	return errors.Join(errs...)
}

// cover serves a target that is not below the cgroup of PID 1's mount: in a cgroup
// namespace that shows only a part, and beside it may be containers that share
// this PID namespace. Their own mount shows theirs.
func (e *Engine) cover(pid uint32, who found) {
	prog := e.progs["odi_connected"]
	if prog == nil || e.aside.Load() || e.opts.CgroupPath != "" || e.connects.serves(who) {
		return
	}
	err := errNoCgroup2
	if path, ok := mountOf(fmt.Sprint(pid)); ok {
		err = e.connects.attach(prog, path)
	}
	if !e.connects.serves(who) {
		e.log.Warn("new connections of a process go without header: its cgroup cannot be reached", "pid", pid, "reason", err)
	}
}

// cgroupPath returns the directory to attach to: the wanted one, or the root of
// the cgroup v2 mount. Hybrid machines have it beside the v1 hierarchies. PID 1
// is asked first, because a container's own mount shows only its own part.
func cgroupPath(wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	for _, pid := range []string{"1", "self"} {
		if path, ok := mountOf(pid); ok {
			return path, nil
		}
	}
	return "", errNoCgroup2
}

// mountOf finds the cgroup v2 mount of a process.
func mountOf(pid string) (path string, ok bool) {
	mount, err := cgroup2Mount("/proc/" + pid + "/mountinfo")
	if err != nil {
		return "", false
	}
	path = filepath.Join("/proc", pid, "root", mount)
	_, err = os.Stat(path)
	return path, err == nil
}

// cgroup2Mount finds the mount point in a mountinfo file (see proc(5)).
func cgroup2Mount(mountinfo string) (string, error) {
	f, err := os.Open(mountinfo)
	if err != nil {
		return "", fmt.Errorf("reading mounts: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		if ok && strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 {
			return fields[4], nil
		}
	}
	return "", errNoCgroup2
}
