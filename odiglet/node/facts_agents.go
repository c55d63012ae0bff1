package node

import (
	"slices"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/handover"
)

// maxEnvironment is the API's limit.
const maxEnvironment = 16

// start gathers what is seen of the processes that run without an agent.
type start struct {
	names  map[string]bool
	secure bool
}

func (s *start) add(in attach.Instance) {
	if in.Runtime.Helper {
		return // no agent would be in it
	}
	if s.names == nil {
		s.names = make(map[string]bool)
	}
	for _, name := range in.Environment {
		s.names[name] = true
	}
	s.secure = s.secure || in.Runtime.Secure
}

func (s *start) fact() odiv1.StartFacts {
	f := odiv1.StartFacts{Secure: s.secure}
	for name := range s.names {
		f.Environment = append(f.Environment, name)
	}
	slices.Sort(f.Environment)
	f.Environment = f.Environment[:min(len(f.Environment), maxEnvironment)]
	return f
}

// agents gathers what became of agents.
type agents struct{ fact odiv1.AgentFact }

// leastGood orders the states, the least good last.
var leastGood = []odiv1.AgentState{
	odiv1.AgentPending, odiv1.AgentAlive, odiv1.AgentUnsupported, odiv1.AgentOwnSDK, odiv1.AgentFailed, odiv1.AgentSeesNothing,
}

func (a *agents) add(in attach.Instance) {
	agent, state := in.Agent.Agent(), in.Agent.State()
	// A shell beside the program has the settings, and never an agent.
	if string(in.Runtime.Language) != handover.Language(agent) {
		return
	}
	a.fact.Processes++
	if a.fact.State == "" || slices.Index(leastGood, state) > slices.Index(leastGood, a.fact.State) {
		a.fact.Agent, a.fact.State = agent, state
	}
}
