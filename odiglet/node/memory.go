package node

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/odiglet/attach"
)

const (
	memoryEvery = 15 * time.Second
	// memoryStep keeps a report from being written for every page: whether an agent fits is
	// a matter of a hundred MiB.
	memoryStep = 16 << 20
	// maxStat bounds what is read of memory.stat, some 2 KiB.
	maxStat = 16 << 10
)

// memories keeps the highest working set that was seen of each workload's container. It
// may be used by several goroutines.
type memories struct {
	// read is that of a process's container.
	read func(pid int) (bytes int64, ok bool)

	mu    sync.Mutex
	peaks map[factKey]int64
}

func newMemories() *memories {
	return &memories{read: workingSet, peaks: make(map[factKey]int64)}
}

func (m *memories) peak(key factKey) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.peaks[key]
}

// run looks now and then until ctx ends; changed is called after a peak has grown.
func (m *memories) run(ctx context.Context, c *cluster, instances func() []attach.Instance, changed func()) {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if m.look(c, instances()) {
				changed()
			}
		case <-ctx.Done():
			return
		}
	}
}

// look reads each container without an agent once. It forgets what is selected no more.
func (m *memories) look(c *cluster, instances []attach.Instance) (grown bool) {
	now := make(map[factKey]int64)
	read := make(map[string]bool)
	for _, in := range instances {
		id := in.Process.Container.ID
		at, ok := c.find(id)
		if !ok {
			continue
		}
		key := factKey{at.workload, at.container.name}
		now[key] = max(now[key], 0)
		if in.Agent != nil || read[id] {
			continue
		}
		read[id] = true
		if bytes, ok := m.read(in.Process.PID); ok {
			now[key] = max(now[key], (bytes+memoryStep-1)/memoryStep*memoryStep)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, bytes := range now {
		grown = grown || bytes > m.peaks[key]
		now[key] = max(bytes, m.peaks[key])
	}
	m.peaks = now
	return grown
}

// workingSet is what the kubelet calls so: memory that cannot simply be dropped. A
// container sees its own cgroup (v2) as the root of all.
func workingSet(pid int) (int64, bool) {
	p, err := procfs.Host.Open(pid)
	if err != nil {
		return 0, false
	}
	defer p.Close()
	text, err := p.ReadFile("/sys/fs/cgroup/memory.current", 32)
	if err != nil {
		return 0, false
	}
	used, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || used < 0 {
		return 0, false
	}
	stat, err := p.ReadFile("/sys/fs/cgroup/memory.stat", maxStat)
	if err != nil {
		return used, true
	}
	return used - min(used, inactiveFile(string(stat))), true
}

func inactiveFile(stat string) int64 {
	for line := range strings.Lines(stat) {
		if value, ok := strings.CutPrefix(line, "inactive_file "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err == nil && n > 0 {
				return n
			}
		}
	}
	return 0
}
