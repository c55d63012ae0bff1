package attach

import (
	"context"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/detect"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/spans"
)

// Engine is what the manager uses of the kernel engine (bpf.Engine).
type Engine interface {
	AddTarget(probe.Target) error
	RemoveTarget(pid uint32) error
	Targets() []bpf.TargetStatus
	// Processes calls take for each process event until ctx is done, one at a time
	// and before any request that came after the event is handed on; take must not
	// wait. It returns false where the kernel cannot report them.
	Processes(ctx context.Context, take func(probe.Process)) bool
	// Want says which programs Processes tells of besides those of targets, and has
	// it look at ignored cgroups again.
	Want(probe.Wanted) error
	// IgnoreCgroup has it tell of no program of a cgroup until the next Want.
	IgnoreCgroup(id uint64)
}

// Detector says what a process runs (detect.Detector). It may be called by several goroutines.
type Detector interface {
	Detect(ctx context.Context, pid int) (detect.Found, error)
}

// Selector decides which processes are targets and as whom they are reported.
// It may be called by several goroutines; Select is asked again after Reselect.
type Selector interface {
	// Select decides about a process. parent says that its parent, or the
	// program that it ran before, is a target.
	Select(p process.Process, parent bool) Verdict
	// Origin says as whom a target is reported; false when it is none any more.
	// env holds the variables that identity.KeepEnv accepts, and a few more.
	Origin(p process.Process, rt language.Runtime, env map[string]string) (spans.Origin, bool)
	// Wanted says which programs may be selected at their start, beside children of
	// targets. It is asked again after Reselect, when all others are looked at.
	Wanted() Wanted
}

// Wanted is what a selector needs to be told of.
type Wanted struct {
	probe.Wanted
	// ByCgroup says that Select decides about whole cgroups: where it does not want
	// one process, it wants none of that cgroup.
	ByCgroup bool
}

// Verdict is a selector's decision about a process.
type Verdict struct {
	// Detect asks to find out what it runs, and to report it.
	Detect bool
	// Attach makes it a target; it implies Detect.
	Attach bool
}

// Scanner reads processes; the real one reads /proc. It may be called by several goroutines.
type Scanner interface {
	PIDs() ([]int, error)
	Read(pid int) (process.Process, error)
	// Env returns the variables that name a service (identity.KeepEnv) and its
	// agent (handover.KeepEnv).
	Env(pid int) map[string]string
	// Files lists the files that a process has mapped or open, as far as they have names.
	Files(pid int) []string
}
