package selected

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/progress"
)

// final are the reasons after which odi does nothing more by itself.
var final = []string{
	odiv1.ReasonRolledOut, odiv1.ReasonRolloutManual, odiv1.ReasonSingleReplica, odiv1.ReasonNotEvictable,
	odiv1.ReasonWorkloadPaused, odiv1.ReasonUpdateOnDelete, odiv1.ReasonNextRun,
}

// withAgents says how far the agents of a workload are, where there are any.
func withAgents(iw *odiv1.InstrumentedWorkload, config odiv1.InstrumentationConfig, it progress.Item) progress.Item {
	decided := slices.ContainsFunc(iw.Spec.Containers, func(d odiv1.ContainerDecision) bool { return d.Method == odiv1.MethodAgent })
	rolled := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionRolledOut)
	phase := iw.Status.Rollout.Phase
	if rolled == nil {
		phase = ""
	}
	switch {
	case phase == odiv1.PhaseRolledBack:
		it.Done, it.Failed, it.Text = false, true, "rolled back, eBPF serves: "+rolled.Message
		return it
	case !decided && phase == "":
		return withoutAgents(iw, config, it)
	case !decided || unwanted(iw, config):
		return leaving(iw, rolled, it)
	case phase == "":
		it.Done, it.Text = false, "agents are about to come"
		return it
	}
	it.Done = it.Done && slices.Contains(final, rolled.Reason)
	it.Text = fmt.Sprintf("%s  %s  agents in %d of %d pods: %s", iw.Status.Runtimes, phase, iw.Status.Rollout.Pods, iw.Status.Pods, rolled.Message)
	return it
}

// leaving says how far the removal of agents is that are not asked for any more.
func leaving(iw *odiv1.InstrumentedWorkload, rolled *metav1.Condition, it progress.Item) progress.Item {
	if iw.Status.Rollout.Phase != odiv1.PhaseRollingBack || rolled == nil {
		it.Done, it.Text = false, "agents are about to go"
		return it
	}
	it.Done = it.Done && slices.Contains(final, rolled.Reason)
	it.Text = fmt.Sprintf("%s  %s  %s", iw.Status.Runtimes, iw.Status.Rollout.Phase, rolled.Message)
	return it
}

// withoutAgents says why a workload that was to have agents has none, or not yet.
func withoutAgents(iw *odiv1.InstrumentedWorkload, config odiv1.InstrumentationConfig, it progress.Item) progress.Item {
	switch {
	case undecided(iw, config):
		it.Done, it.Text = false, "waits for its language to be known, to choose an agent; "+it.Text
	case config.Spec.Method == odiv1.MethodAgent && len(iw.Spec.Containers) > 0 && it.Done:
		it.Text += "; no agent: " + iw.Spec.Containers[0].Message
	}
	return it
}

// unwanted says whether agents that were decided are not what the config asks for any more.
func unwanted(iw *odiv1.InstrumentedWorkload, config odiv1.InstrumentationConfig) bool {
	return config.Spec.Method != odiv1.MethodAgent && len(config.Spec.Containers) == 0 && iw.Spec.Config == config.Name
}

// undecided says whether an agent was asked for and the answer is not there yet.
func undecided(iw *odiv1.InstrumentedWorkload, config odiv1.InstrumentationConfig) bool {
	if config.Spec.Method != odiv1.MethodAgent || len(config.Spec.Containers) > 0 || iw.Spec.Config != config.Name {
		return false
	}
	return !slices.ContainsFunc(iw.Spec.Containers, func(d odiv1.ContainerDecision) bool {
		return d.Reason != odiv1.ReasonMethodEBPF && d.Reason != odiv1.ReasonRuntimeUnknown
	})
}
