package attach

import (
	"errors"
	"os"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/spans"
)

// step is what comes next for a process.
type step uint8

const (
	stepLeave    step = iota // it is no target, and nothing more is asked of it
	stepLook                 // it is to be a target once it is known what it is
	stepWatch                // it is to be a target, or the target is to be brought up to date
	stepLookOnly             // it is no target, and it is to be found out what it is
)

// decide says what follows from a verdict, for a process that was looked into already or was not.
func decide(v Verdict, detected bool) step {
	switch {
	case v.Attach && detected:
		return stepWatch
	case v.Attach:
		return stepLook
	case v.Detect && !detected:
		return stepLookOnly
	}
	return stepLeave
}

// target leaves requests as they are for as long as an agent may be alive in the
// process, which writes its own traceparent.
func target(r *record) probe.Target {
	return probe.Target{
		PID:            uint32(r.process.PID),
		Name:           r.process.String(),
		EventLoopProxy: r.runtime.EventLoop,
		Strict:         r.runtime.Strict,
		AsksAgain:      r.runtime.AsksAgain,
		Propagate:      !untouched(r.origin) && !instrumentedByItself(r.runtime) && (!r.looking || r.detected) && r.agent.Propagates(),
		Sampling:       samplingOf(r.origin),
		Children:       true,
	}
}

func samplingOf(origin *spans.Origin) probe.Sampling {
	if origin == nil {
		return probe.Sampling{}
	}
	return origin.Sampling
}

func untouched(origin *spans.Origin) bool { return origin != nil && origin.Untouched }

// instrumentedByItself says that an agent or SDK is alive in the process, which
// writes its own traceparent.
func instrumentedByItself(rt language.Runtime) bool {
	for _, a := range rt.Agents {
		if a.Loaded {
			return true
		}
	}
	return false
}

func attachReason(err error) string {
	if errors.Is(err, os.ErrPermission) {
		return "permission"
	}
	return "engine"
}
