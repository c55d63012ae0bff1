package facts

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/nodefacts"
	"github.com/odi-dev/odi/odiglet"
)

// Options say what to look at.
type Options struct {
	// Root is where the node's files are: "/" but in tests.
	Root string
	// Engine has the engine loaded and let go.
	Engine bool
	// Addresses, as host:port, are looked up and called.
	Addresses []string
}

// See gathers the facts. What cannot be seen is named with the reason; nothing else fails.
func See(ctx context.Context, o Options) nodefacts.Facts {
	s := sight{root: o.Root, facts: nodefacts.Facts{Arch: runtime.GOARCH, Unseen: map[string]string{}}}
	looks := make(chan []nodefacts.Look, 1)
	go func() { looks <- call(ctx, o.Addresses) }() // the network is slower than everything below
	s.kernel()
	s.processes()
	s.cgroup()
	s.capabilities()
	s.memory()
	s.instrumenters()
	if o.Engine {
		s.engine()
	}
	s.facts.Looks = <-looks
	s.facts.Time = time.Now().UTC()
	return s.facts
}

// sight fills in the facts, one after the other.
type sight struct {
	root  string
	facts nodefacts.Facts
}

// read is a file of the node without space around it; a failure is noted under the fact's name.
func (s *sight) read(fact string, path ...string) (string, bool) {
	data, err := os.ReadFile(filepath.Join(append([]string{s.root}, path...)...))
	if err != nil {
		s.facts.Unseen[fact] = err.Error()
		return "", false
	}
	return strings.TrimSpace(string(data)), true
}

func (s *sight) kernel() {
	s.facts.Kernel, _ = s.read("kernel", "proc/sys/kernel/osrelease")
	_, err := os.Stat(filepath.Join(s.root, "sys/kernel/btf/vmlinux"))
	s.facts.BTF = err == nil
	if err != nil && !os.IsNotExist(err) {
		s.facts.Unseen["btf"] = err.Error()
	}
	s.facts.JIT, _ = s.read("jit", "proc/sys/net/core/bpf_jit_enable")
	modes, ok := s.read("lockdown", "sys/kernel/security/lockdown")
	if ok {
		s.facts.Lockdown = chosen(modes)
	}
}

// chosen is the mode in brackets of "none [integrity] confidentiality".
func chosen(modes string) string {
	_, rest, _ := strings.Cut(modes, "[")
	mode, _, _ := strings.Cut(rest, "]")
	return mode
}

// rootNamespace is the number that the kernel gives the PID namespace that it starts with.
const rootNamespace = "pid:[4026531836]"

func (s *sight) processes() {
	command, ok := s.read("hostProcesses", "proc/1/comm")
	if !ok {
		return
	}
	// In a container that sees its own processes alone, the first is what it was started for.
	s.facts.HostProcesses = command != "odiglet" && command != "pause"
	first, err := os.Readlink(filepath.Join(s.root, "proc/1/ns/pid"))
	if err != nil {
		s.facts.Unseen["nestedProcesses"] = err.Error()
		return
	}
	s.facts.NestedProcesses = s.facts.HostProcesses && first != rootNamespace
}

func (s *sight) cgroup() {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Join(s.root, "sys/fs/cgroup"), &fs); err != nil {
		s.facts.Unseen["cgroup2"] = err.Error()
		return
	}
	s.facts.Cgroup2 = fs.Type == unix.CGROUP2_SUPER_MAGIC
}

// used are the capabilities that odi uses, by their number.
var used = []struct {
	bit  uint
	name string
}{{39, "BPF"}, {38, "PERFMON"}, {19, "SYS_PTRACE"}, {12, "NET_ADMIN"}, {2, "DAC_READ_SEARCH"}}

func (s *sight) capabilities() {
	status, ok := s.read("capabilities", "proc/self/status")
	if !ok {
		return
	}
	for line := range strings.Lines(status) {
		hex, ok := strings.CutPrefix(line, "CapEff:")
		if !ok {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		if err != nil {
			s.facts.Unseen["capabilities"] = err.Error()
			return
		}
		for _, c := range used {
			if set&(1<<c.bit) != 0 {
				s.facts.Capabilities = append(s.facts.Capabilities, c.name)
			}
		}
		return
	}
	s.facts.Unseen["capabilities"] = "/proc/self/status does not say"
}

func (s *sight) memory() {
	lines, ok := s.read("memoryAvailable", "proc/meminfo")
	if !ok {
		return
	}
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == "MemAvailable:" {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			if err == nil {
				s.facts.MemoryAvailable = kib << 10
				return
			}
		}
	}
	s.facts.Unseen["memoryAvailable"] = "/proc/meminfo does not say"
}

// engine is the one look that does something: it loads the programs into the kernel and lets them go.
func (s *sight) engine() {
	for _, f := range odiglet.Ladder(slog.New(slog.DiscardHandler)) {
		s.facts.Features = append(s.facts.Features, nodefacts.Feature{Name: string(f.Name), State: string(f.State), Reason: f.Reason})
	}
}
