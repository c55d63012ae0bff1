package facts

import (
	"cmp"
	"slices"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// goodness are the states of agents, the best first: of several nodes the worst is told.
var goodness = []odiv1.AgentState{
	"", odiv1.AgentAlive, odiv1.AgentPending, odiv1.AgentUnsupported, odiv1.AgentOwnSDK, odiv1.AgentFailed, odiv1.AgentSeesNothing,
}

// worseAgent adds up the processes of one agent. Where nodes tell of two, as between two versions, it is of the
// newer one's name, since that is the one in doubt; the names differ only there.
func worseAgent(a, b odiv1.AgentFact) odiv1.AgentFact {
	switch {
	case a.Processes == 0 && a.State == "":
		return b
	case b.Processes == 0 && b.State == "":
		return a
	case a.Agent != b.Agent:
		return slices.MaxFunc([]odiv1.AgentFact{a, b}, func(x, y odiv1.AgentFact) int {
			return cmp.Or(cmp.Compare(rank(x.State), rank(y.State)), cmp.Compare(x.Agent, y.Agent))
		})
	}
	worst := a
	if rank(b.State) > rank(a.State) {
		worst = b
	}
	worst.Processes = a.Processes + b.Processes
	return worst
}

func rank(s odiv1.AgentState) int { return slices.Index(goodness, s) }

// mostNames is what the schema takes of an environment.
const mostNames = 16

// mergeStart joins what nodes say: a name that one pod has is taken, and the most memory counts.
func mergeStart(a, b odiv1.StartFacts) odiv1.StartFacts {
	names := slices.Concat(a.Environment, b.Environment)
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > mostNames {
		names = names[:mostNames]
	}
	return odiv1.StartFacts{Environment: names, Secure: a.Secure || b.Secure, Memory: max(a.Memory, b.Memory)}
}

// keepStarts keeps what is known of a start without agent once every pod has one: else the decision
// for the agent would be taken back when it is carried out.
func keepStarts(now, before []odiv1.ContainerStatus) {
	for i := range now {
		s := now[i].Start
		if now[i].Agent.Agent == "" || s.Memory != 0 || s.Secure || len(s.Environment) > 0 {
			continue
		}
		for _, b := range before {
			if b.Name == now[i].Name {
				now[i].Start = b.Start
			}
		}
	}
}

// keepRuntimes keeps the known runtime of a container for whose runtime an agent was decided, or decided against,
// while its pods run something else first, such as a shell that starts the application: else the decision
// would be taken back while it is carried out.
func keepRuntimes(now, before []odiv1.ContainerStatus, decisions []odiv1.ContainerDecision) {
	for i := range now {
		if now[i].Runtime.Language != "" || !isAboutAgent(decisions, now[i].Name) {
			continue
		}
		for _, b := range before {
			if b.Name == now[i].Name {
				now[i].Runtime = b.Runtime
			}
		}
	}
}

func isAboutAgent(decisions []odiv1.ContainerDecision, container string) bool {
	return slices.ContainsFunc(decisions, func(d odiv1.ContainerDecision) bool {
		return d.Name == container && (d.Method == odiv1.MethodAgent || d.Reason == odiv1.ReasonAgentFailedBefore)
	})
}
