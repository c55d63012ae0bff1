package rollout

import (
	"maps"
	"slices"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// Observed is all that the next step depends on.
type Observed struct {
	// Kind of the workload and how it makes pods.
	Kind odiv1.WorkloadKind
	Pace kube.Pace
	Mode odiv1.RolloutMode
	// Wanted are the decided agents by container, as language@version; Revision names them all.
	Wanted   map[string]string
	Revision string
	// Refused means that an agent was decided against because it failed before.
	Refused bool
	// Plan, Claim and Status are what was written so far.
	Plan   *odiv1.RolloutPlan
	Claim  *odiv1.CanaryClaim
	Status odiv1.RolloutStatus
	// Facts say by container what became of agents.
	Facts map[string]odiv1.AgentFact
	// Answers say by container how many requests failed with agents and without.
	Answers map[string]Answers
	Pods    []Pod
	// ReadyWithin is how long a pod with agents may take to be ready.
	ReadyWithin time.Duration
	// Rolling is how many other workloads of the cluster are at it.
	Rolling int
	// Orphaned means that the InstrumentedWorkload has gone; there is nothing to write to.
	Orphaned bool
}

// Pod is what matters of one pod.
type Pod struct {
	Name, UID, ResourceVersion string
	// Owner is the UID of what made it; Ordinal its place in a StatefulSet.
	Owner   string
	Ordinal int
	Created time.Time
	// Leaving means that it was told to end; Ended that it did its work; Started that its node has it.
	Leaving, Ended, Started bool
	Ready                   bool
	ReadySince              time.Time
	// Agents that the webhook gave it, by container; nil for none. Canary is the claim that it is of.
	Agents map[string]string
	Canary string
	Images map[string]string
	// Trouble is what went wrong with its agents; nil when nothing did.
	Trouble *Trouble
}

// Trouble is why agents do not work.
type Trouble struct {
	// Container that shows it; empty for all that have agents.
	Container string
	Reason    string
	Message   string
	// At is when it showed; zero for now.
	At time.Time
}

// live are the pods that work or will.
func (o Observed) live() []Pod {
	return slices.DeleteFunc(slices.Clone(o.Pods), func(p Pod) bool { return p.Leaving || p.Ended })
}

// isCurrent says whether a pod has the agents that are wanted. The webhook may have left out a
// container, with a reason; what it did inject must be right.
func (o Observed) isCurrent(p Pod) bool {
	if len(p.Agents) == 0 {
		return len(o.Wanted) == 0
	}
	for container, agent := range p.Agents {
		if o.Wanted[container] != agent {
			return false
		}
	}
	return true
}

// outdated are the live pods that are not current.
func (o Observed) outdated() []Pod {
	return slices.DeleteFunc(o.live(), o.isCurrent)
}

// claim is the one for the slot that is offered; nil while nobody took it.
func (o Observed) claim() *odiv1.CanaryClaim {
	if o.Claim == nil || o.Plan == nil || o.Claim.Revision != o.Plan.Revision || o.Claim.Slot != o.Plan.Slot {
		return nil
	}
	return o.Claim
}

// canary is the pod that took the slot, also when it has ended.
func (o Observed) canary(claim *odiv1.CanaryClaim) *Pod {
	for i := range o.Pods {
		if o.Pods[i].Canary == claim.Request && !o.Pods[i].Leaving {
			return &o.Pods[i]
		}
	}
	return nil
}

// chosen is the pod that was recorded for eviction and is still there, so that nobody evicted it yet.
func (o Observed) chosen() *Pod {
	for _, p := range o.live() {
		if p.UID == o.Status.Evicted {
			return &p
		}
	}
	return nil
}

// failedBefore is the record of a wanted agent that failed with an image that pods have.
func (o Observed) failedBefore() *odiv1.AgentFailure {
	images := map[string][]string{}
	for _, p := range o.live() {
		for container, image := range p.Images {
			images[container] = append(images[container], image)
		}
	}
	for i, f := range o.Status.Failures {
		if agent, wanted := o.Wanted[f.Container]; !wanted || agent != f.Agent {
			continue
		}
		if f.ImageID == "" || len(images[f.Container]) == 0 || slices.Contains(images[f.Container], f.ImageID) {
			return &o.Status.Failures[i]
		}
	}
	return nil
}

// toldTrouble is what odiglets tell that no pod shows.
func (o Observed) toldTrouble(now time.Time) *Trouble {
	if t := o.factTrouble(); t != nil {
		return t
	}
	return o.errorTrouble(now)
}

// factTrouble is what odiglets say against the agents.
func (o Observed) factTrouble() *Trouble {
	reasons := map[odiv1.AgentState][2]string{
		odiv1.AgentFailed:      {odiv1.ReasonAgentFailed, "The agent says that it could not start; the application runs on without it."},
		odiv1.AgentSeesNothing: {odiv1.ReasonAgentSeesNothing, "The application served requests, and the agent reported none of them."},
		odiv1.AgentUnsupported: {odiv1.ReasonAgentUnsupported, "The agent stepped aside: it does not work with this runtime."},
		odiv1.AgentOwnSDK:      {odiv1.ReasonAgentOwnSDK, "The agent stepped aside: the application brings an OpenTelemetry SDK of its own."},
	}
	for _, container := range slices.Sorted(maps.Keys(o.Wanted)) {
		fact := o.Facts[container]
		words, bad := reasons[fact.State]
		if bad && fact.Agent == o.Wanted[container] {
			return &Trouble{Container: container, Reason: words[0], Message: words[1]}
		}
	}
	return nil
}

// alive says whether every agent was seen to have started.
func (o Observed) alive() bool {
	for container, agent := range o.Wanted {
		if fact := o.Facts[container]; fact.Agent != agent || fact.State != odiv1.AgentAlive {
			return false
		}
	}
	return true
}

// steady says whether a pod may be taken away: all others are there, ready, and with agents for long
// enough; and the workload does not roll by itself.
func (o Observed) steady(now time.Time, without *Pod) bool {
	others, owners := int32(0), map[string]bool{}
	for _, p := range o.live() {
		owners[p.Owner] = true
		if without != nil && p.UID == without.UID {
			continue
		}
		if !p.Ready || len(p.Agents) > 0 && now.Sub(p.ReadySince) < minReady {
			return false
		}
		others++
	}
	if o.Kind == odiv1.KindDeployment && len(owners) > 1 {
		return false
	}
	return others >= o.Pace.Desired-1
}

// minReady is how long a pod with agents was ready when the next one goes.
const minReady = 5 * time.Second
