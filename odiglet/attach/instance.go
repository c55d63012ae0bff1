package attach

import (
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/spans"
)

// Instance is what is known of one process that a selector asked about.
type Instance struct {
	Process process.Process
	// Met is when the program that it runs was met.
	Met time.Time
	// Detected says that Runtime is what was found, if only "unknown".
	Detected bool
	Runtime  language.Runtime
	Attached bool
	// Error is the latest failure to detect or attach, in a sentence.
	Error string
	// Service is the name that its spans carry; empty while not attached.
	Service string
	// Env names the service and its agent; see Scanner.
	Env map[string]string
	// Environment lists the variables that agents use and the process has.
	Environment []string
	// Agent is the process's part in the hand-over; nil: it was started without one.
	Agent *handover.Process
}

// record is the manager's own view of a process.
type record struct {
	process  process.Process
	met      time.Time
	seq      uint64 // of the latest event before it was read; see family.take
	inferred bool   // process is what events told, not what /proc shows
	// inherited says that the parent was a target when this was decided last.
	inherited bool
	verdict   Verdict
	detected  bool
	looking   bool      // detection is under way,
	since     time.Time // since then
	runtime   language.Runtime
	attached  bool
	target    probe.Target // as it was added last
	err       string
	env       map[string]string
	origin    *spans.Origin
	was       *spans.Origin // of the program before
	// looks are the times at which an interpreter is detected once more.
	looks []time.Time
	// environment lists the variables that agents use.
	environment []string
	agent       *handover.Process
	marker      watch
}

// instance of one that has just been forked or started says little yet.
func (r *record) instance() Instance {
	in := Instance{
		Process: r.process, Met: r.met, Detected: r.detected, Runtime: r.runtime,
		Attached: r.attached && r.origin != nil, Error: r.err,
		Env: r.env, Environment: r.environment, Agent: r.agent,
	}
	if r.origin != nil {
		in.Service = r.origin.Service.Name
	}
	return in
}
