package attach

import (
	"context"
	"slices"

	"github.com/odi-dev/odi/bpf/probe"
)

// want has the kernel tell of those programs that the selector may select; on a
// machine where shells and probes start thousands, it is spared the rest.
func (m *Manager) want() {
	if err := m.Engine.Want(m.Selector.Wanted().Wanted); err != nil {
		m.Log.Error("saying which processes matter", "error", err) // all are told of
	}
}

// ignore spares the kernel the programs of a cgroup of which nothing is selected.
func (m *Manager) ignore(e probe.Process) {
	if !m.Selector.Wanted().ByCgroup || m.find(int(e.PID)) != nil {
		return
	}
	if p, err := m.Scanner.Read(int(e.PID)); err == nil && !m.Selector.Select(p, false).any() {
		m.Engine.IgnoreCgroup(e.Cgroup)
	}
}

// any says whether the selector cares for a process.
func (v Verdict) any() bool { return v.Detect || v.Attach }

// meetStrangers looks at the processes of which nothing was told: they may be
// selected by now.
func (m *Manager) meetStrangers(ctx context.Context) {
	pids, err := m.Scanner.PIDs()
	if err != nil {
		m.Log.Error("looking for processes", "error", err)
		return
	}
	slices.Sort(pids) // parents before most children
	for _, pid := range pids {
		if m.find(pid) == nil {
			m.look(ctx, pid)
		}
	}
}
