package identity

import (
	"cmp"
	"runtime"
	"strconv"

	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/identity/program"
)

// Host is what is known of a process outside of Kubernetes.
type Host struct {
	Hostname string
	// Group is the one that the process belongs to, by GroupOf.
	Group       Group
	Env         map[string]string
	ContainerID string
	Language    string
}

// Group is a process that was started to serve, and those that it forks to do the
// same work: the workers of a server, which come and go. It is one service instance.
type Group struct {
	// PID and Start are those of the first process.
	PID   int
	Start uint64
	Exe   string
	// Program is what people call it.
	Program string
}

// GroupOf puts a process into the group of its parent where it runs the same
// executable and its arguments name the same program or none of their own
// (helpers of a runtime, rewritten titles); else it begins a group. A parent of
// whom nothing is known is the zero Group.
func GroupOf(pid int, start uint64, c program.Command, parent Group) Group {
	told := program.Told(c)
	if parent.Exe == c.Exe && (told == "" || told == parent.Program) {
		return parent
	}
	return Group{PID: pid, Start: start, Exe: c.Exe, Program: cmp.Or(told, program.Name(c))}
}

// OfHost names the service of a process on a plain host: by its environment,
// else by the program it runs.
func OfHost(h Host) Service {
	named := FromEnv(h.Env)
	own := h.Hostname + ":" + strconv.Itoa(h.Group.PID) + ":" + strconv.FormatUint(h.Group.Start, 10)
	name := cmp.Or(named.Service, h.Group.Program)
	return Service{
		Name:       name,
		Party:      Party{Name: name, Namespace: named.Namespace},
		SharesHost: true,
		Namespace:  named.Namespace,
		Version:    named.Version,
		InstanceID: cmp.Or(named.Instance, own),
		Language:   h.Language,
		Attributes: append([]Attribute{
			{Key: telemetry.HostName, Value: h.Hostname},
			{Key: telemetry.HostArch, Value: telemetry.Arch(runtime.GOARCH)},
			{Key: telemetry.ContainerID, Value: h.ContainerID},
		}, named.Others...),
	}.bounded()
}
