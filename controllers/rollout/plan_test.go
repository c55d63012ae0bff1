package rollout

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// ago is a pod that was made so long ago and was ready since.
func ago(uid string, age time.Duration, agents map[string]string) Pod {
	return Pod{
		Name: "pod-" + uid, UID: uid, Owner: "rs", Created: noon.Add(-age), Started: true, Ready: true, ReadySince: noon.Add(-age),
		Agents: agents, Images: map[string]string{"app": "image@1"},
	}
}

func java(version string) map[string]string { return map[string]string{"app": "java@" + version} }

// threePods is a Deployment whose agent was just decided; each row changes it.
func threePods() Observed {
	return Observed{
		Kind: odiv1.KindDeployment, Pace: kube.Pace{Desired: 3}, Wanted: java("1"), Revision: "r1", ReadyWithin: time.Minute,
		Facts: map[string]odiv1.AgentFact{},
		Pods:  []Pod{ago("a", time.Hour, nil), ago("b", 2*time.Hour, nil), ago("c", 3*time.Hour, nil)},
	}
}

// since is the observation at a stage, in a phase since a while.
func (o Observed) since(stage odiv1.RolloutStage, phase string, since time.Duration) Observed {
	o.Plan = &odiv1.RolloutPlan{Revision: "r1", Stage: stage, Slot: 1}
	o.Status.Phase, o.Status.Since = phase, metav1.NewTime(noon.Add(-since))
	return o
}

// withCanary has a pod that took the slot in place of c, which was evicted.
func withCanary(age time.Duration, change func(*Pod)) Observed {
	o := threePods().since(odiv1.RolloutStageCanary, odiv1.PhaseCanary, age+5*time.Second)
	o.Claim = &odiv1.CanaryClaim{Revision: "r1", Slot: 1, Request: "q", At: metav1.NewTime(noon.Add(-age))}
	canary := ago("d", age, java("1"))
	canary.Canary = "q"
	if change != nil {
		change(&canary)
	}
	o.Status.Evicted, o.Status.EvictedAt = "c", o.Claim.At
	o.Pods = append(o.Pods[:2:2], canary)
	return o
}

func alive(o Observed, state odiv1.AgentState) Observed {
	o.Facts = map[string]odiv1.AgentFact{"app": {Agent: "java@1", State: state, Processes: 1}}
	return o
}

func TestPlan(t *testing.T) {
	change := func(o Observed, changes ...func(*Observed)) Observed {
		o.Pods = slices.Clone(o.Pods)
		for _, c := range changes {
			c(&o)
		}
		return o
	}
	unready := func(p *Pod) { p.Ready, p.ReadySince = false, time.Time{} }
	all := threePods().since(odiv1.RolloutStageAll, odiv1.PhaseRollingOut, time.Minute)
	one := func(o *Observed) { o.Pace.Desired, o.Pods = 1, o.Pods[:1] }
	for name, tc := range map[string]struct {
		in   Observed
		want string // kind stage phase reason and pod
	}{
		"no agents, none wanted":                             {change(threePods(), func(o *Observed) { o.Wanted, o.Revision = nil, "" }), "Nothing"},
		"a slot is offered":                                  {threePods(), "OfferCanary Canary Canary Canary"},
		"not while a pod is not ready, and another would go": {change(threePods(), func(o *Observed) { unready(&o.Pods[0]); unready(&o.Pods[1]) }), "Wait None Waiting WaitingForPods"},
		"not while the Deployment rolls":                     {change(threePods(), func(o *Observed) { o.Pods[0].Owner = "new" }), "Wait None Waiting WaitingForPods"},
		"not while five others roll":                         {change(threePods(), func(o *Observed) { o.Rolling = 5 }), "Wait None Waiting Queued"},
		"an only pod is left alone":                          {change(threePods(), one), "OfferCanary Canary Waiting SingleReplica"},
		"unless Auto was said":                               {change(threePods(), one, func(o *Observed) { o.Mode = odiv1.RolloutAuto }), "OfferCanary Canary Canary Canary"},
		"a paused Deployment":                                {change(threePods(), func(o *Observed) { o.Pace.Paused = true }), "OfferCanary Canary Waiting WorkloadPaused"},
		"OnDelete":                                           {change(threePods(), func(o *Observed) { o.Kind, o.Pace.OnDelete = odiv1.KindStatefulSet, true }), "OfferCanary Canary Waiting UpdateOnDelete"},
		"a CronJob":                                          {change(threePods(), func(o *Observed) { o.Kind = odiv1.KindCronJob }), "OfferCanary Canary Waiting NextRun"},
		"a lone pod":                                         {change(threePods(), func(o *Observed) { o.Kind = odiv1.KindPod }), "OfferCanary Canary Waiting NotEvictable"},
		"another controller's":                               {change(threePods(), func(o *Observed) { o.Kind = "Rollout.argoproj.io" }), "OfferCanary Canary Waiting NotEvictable"},
		"a template with the annotation of pods":             {change(threePods(), func(o *Observed) { o.Pace.Annotated = true }), "OfferCanary Canary Waiting NotEvictable"},
		"manual":                                             {change(threePods(), func(o *Observed) { o.Mode = odiv1.RolloutManual }), "Manual All Manual Manual"},
		"no pods":                                            {change(threePods(), func(o *Observed) { o.Pods = nil }), "OfferCanary Canary Waiting WaitingForPods"},
		"pods that have the agents already":                  {change(threePods(), func(o *Observed) { o.Pods = []Pod{ago("a", time.Hour, java("1"))} }), "RollOut All RollingOut RollingOut"},
		"a failure that is recorded": {change(threePods(), func(o *Observed) {
			o.Status.Failures = []odiv1.AgentFailure{{Container: "app", ImageID: "image@1", Agent: "java@1", Reason: "X"}}
		}), "Wait None RollingBack X"},

		"the webhook may not know the slot yet": {threePods().since(odiv1.RolloutStageCanary, odiv1.PhaseCanary, time.Second), "Wait Canary Canary Canary"},
		"the youngest is evicted":               {threePods().since(odiv1.RolloutStageCanary, odiv1.PhaseCanary, time.Minute), "Evict Canary Canary Canary pod-a"},
		"of a StatefulSet the highest": {change(threePods().since(odiv1.RolloutStageCanary, odiv1.PhaseCanary, time.Minute), func(o *Observed) {
			o.Kind = odiv1.KindStatefulSet
			o.Pods[0].Ordinal, o.Pods[1].Ordinal, o.Pods[2].Ordinal = 0, 1, 2
		}), "Evict Canary Canary Canary pod-c"},
		"who was recorded and is still there is evicted": {change(threePods().since(odiv1.RolloutStageCanary, odiv1.PhaseCanary, time.Minute), func(o *Observed) {
			o.Status.Evicted, o.Status.EvictedAt = "b", metav1.NewTime(noon)
		}), "Evict Canary Canary Canary pod-b"},
		"what came for it has no agent": {change(threePods().since(odiv1.RolloutStageCanary, odiv1.PhaseCanary, time.Minute), func(o *Observed) {
			o.Status.Evicted, o.Status.EvictedAt = "x", metav1.NewTime(noon.Add(-10*time.Second))
			o.Pods[0] = ago("d", 5*time.Second, nil)
		}), "Wait Canary Waiting PodsWithoutAgent"},
		"another slot after a while": {change(threePods().since(odiv1.RolloutStageCanary, odiv1.PhaseWaiting, time.Minute), func(o *Observed) {
			o.Status.Evicted, o.Status.EvictedAt = "x", metav1.NewTime(noon.Add(-40*time.Second))
			o.Pods[0] = ago("d", 35*time.Second, nil)
		}), "OfferCanary Canary Canary PodsWithoutAgent"},
		"the third time only after an hour": {change(threePods().since(odiv1.RolloutStageCanary, odiv1.PhaseWaiting, time.Minute), func(o *Observed) {
			o.Status.Evicted, o.Status.EvictedAt, o.Status.Attempts = "x", metav1.NewTime(noon.Add(-59*time.Minute)), 2
			o.Pods[0] = ago("d", 58*time.Minute, nil)
		}), "Wait Canary Waiting PodsWithoutAgent"},
		"a claim whose pod is awaited":    {change(withCanary(30*time.Second, nil), func(o *Observed) { o.Pods = o.Pods[:2] }), "Wait Canary Canary Canary"},
		"a claim whose pod does not come": {change(withCanary(95*time.Second, nil), func(o *Observed) { o.Pods = append(o.Pods[:2:2], ago("d", 90*time.Second, nil)) }), "OfferCanary Canary Canary PodsWithoutAgent"},
		"the canary starts":               {withCanary(30*time.Second, unready), "Wait Canary Canary Canary"},
		"the canary has no node":          {withCanary(30*time.Second, func(p *Pod) { unready(p); p.Started = false }), "Wait Canary Canary Canary"},
		"the canary is never ready":       {withCanary(61*time.Second, unready), "RollBack None RollingBack AgentNeverReady"},
		"the canary has trouble":          {withCanary(10*time.Second, func(p *Pod) { p.Trouble = &Trouble{Reason: "T"} }), "RollBack None RollingBack T"},
		"the canary soaks":                {alive(withCanary(19*time.Second, nil), odiv1.AgentAlive), "Soak Canary Soaking Soaking"},
		"the canary has soaked":           {alive(withCanary(20*time.Second, nil), odiv1.AgentAlive), "RollOut All RollingOut RollingOut"},
		"a silent one soaks longer":       {alive(withCanary(59*time.Second, nil), odiv1.AgentPending), "Soak Canary Soaking Soaking"},
		"but not for ever":                {withCanary(60*time.Second, nil), "RollOut All RollingOut RollingOut"},
		"the agent failed":                {alive(withCanary(5*time.Second, nil), odiv1.AgentFailed), "RollBack None RollingBack AgentFailed"},
		"the agent sees nothing":          {alive(withCanary(5*time.Second, nil), odiv1.AgentSeesNothing), "RollBack None RollingBack AgentSeesNothing"},
		"the runtime is not the agent's":  {alive(withCanary(5*time.Second, nil), odiv1.AgentUnsupported), "RollBack None RollingBack AgentUnsupported"},
		"the application has its own SDK": {alive(withCanary(5*time.Second, nil), odiv1.AgentOwnSDK), "RollBack None RollingBack AgentOwnSDK"},
		"a fact about another version": {change(alive(withCanary(61*time.Second, nil), odiv1.AgentFailed), func(o *Observed) {
			o.Facts = map[string]odiv1.AgentFact{"app": {Agent: "java@0", State: odiv1.AgentFailed}}
		}), "RollOut All RollingOut RollingOut"},
		"a run of a CronJob that ended":    {change(withCanary(5*time.Second, func(p *Pod) { unready(p); p.Ended = true }), func(o *Observed) { o.Kind = odiv1.KindCronJob }), "RollOut All RollingOut RollingOut"},
		"another revision begins anew":     {change(all, func(o *Observed) { o.Revision, o.Wanted = "r2", java("2") }), "OfferCanary Canary Canary Canary"},
		"from Manual to Auto by a canary":  {threePods().since(odiv1.RolloutStageAll, odiv1.PhaseManual, time.Hour), "OfferCanary Canary Canary Canary"},
		"the rest, one at a time":          {all, "Evict All RollingOut RollingOut pod-a"},
		"the next waits for the last":      {change(all, func(o *Observed) { o.Pods[2] = ago("d", time.Second, java("1")); unready(&o.Pods[2]) }), "Wait All RollingOut WaitingForPods"},
		"and for some seconds more":        {change(all, func(o *Observed) { o.Pods[2] = ago("d", 4*time.Second, java("1")) }), "Wait All RollingOut WaitingForPods"},
		"the next waits for the successor": {change(all, func(o *Observed) { o.Pods[2].Leaving = true }), "Wait All RollingOut WaitingForPods"},
		"one of the rest has trouble": {change(all, func(o *Observed) {
			o.Pods[2] = ago("d", time.Minute, java("1"))
			o.Pods[2].Trouble = &Trouble{Reason: "T"}
		}), "RollBack None RollingBack T"},
		"trouble after hours is not the agent's": {change(threePods().since(odiv1.RolloutStageAll, odiv1.PhaseDone, time.Hour), func(o *Observed) {
			o.Pods = []Pod{ago("d", time.Hour, java("1"))}
			o.Pods[0].Trouble = &Trouble{Reason: "T", At: noon.Add(-time.Minute)}
		}), "Done All Done RolledOut"},
		"a missed pod is repaired": {change(threePods().since(odiv1.RolloutStageAll, odiv1.PhaseDone, time.Hour), func(o *Observed) {
			o.Pods = []Pod{ago("d", time.Hour, java("1")), ago("e", time.Hour, java("1")), ago("f", time.Second, nil)}
		}), "Wait All RollingOut RollingOut"},
		"the last one's successor is awaited": {change(all, func(o *Observed) {
			o.Pods = []Pod{ago("d", time.Minute, java("1")), ago("e", time.Minute, java("1"))}
		}), "Wait All RollingOut RollingOut"},
		"a canary that is not wanted any more is no eviction in vain": {change(threePods().since(odiv1.RolloutStageNone, odiv1.PhaseRollingBack, 3*time.Second), func(o *Observed) {
			o.Wanted, o.Revision = nil, ""
			o.Pods[2] = ago("d", 8*time.Second, java("1"))
			o.Status.Evicted, o.Status.EvictedAt = "c", metav1.NewTime(noon.Add(-9*time.Second))
		}), "Evict  RollingBack RemovingAgents pod-d"},
		"older agents are outdated": {change(all, func(o *Observed) {
			o.Pods = []Pod{ago("d", time.Hour, java("1")), ago("e", time.Hour, java("0")), ago("f", time.Hour, java("1"))}
		}), "Evict All RollingOut RollingOut pod-e"},

		"agents that nobody wants any more": {change(all, func(o *Observed) { o.Wanted, o.Revision, o.Pods[0].Agents = nil, "", java("1") }), "Wait  RollingBack RemovingAgents"},
		"one is removed": {change(threePods().since(odiv1.RolloutStageNone, odiv1.PhaseRollingBack, time.Minute), func(o *Observed) {
			o.Wanted, o.Revision, o.Pods[1].Agents = nil, "", java("1")
		}), "Evict  RollingBack RemovingAgents pod-b"},
		"a broken one goes whatever the others do": {change(threePods().since(odiv1.RolloutStageNone, odiv1.PhaseRollingBack, time.Minute), func(o *Observed) {
			o.Wanted, o.Revision, o.Pods[1].Agents = nil, "", java("1")
			o.Pods[1].Trouble = &Trouble{Reason: "T"}
			unready(&o.Pods[0])
			unready(&o.Pods[1])
		}), "Evict  RollingBack RemovingAgents pod-b"},
		"manual removes none": {change(threePods().since(odiv1.RolloutStageNone, odiv1.PhaseRollingBack, time.Minute), func(o *Observed) {
			o.Wanted, o.Revision, o.Pods[1].Agents, o.Mode = nil, "", java("1"), odiv1.RolloutManual
		}), "Wait  RollingBack Manual"},
		"an orphan has patience": {change(threePods().since(odiv1.RolloutStageNone, odiv1.PhaseRollingBack, 9*time.Second), func(o *Observed) {
			o.Wanted, o.Revision, o.Pods[1].Agents, o.Orphaned = nil, "", java("1"), true
		}), "Wait  RollingBack RemovingAgents"},
		"rolled back": {change(threePods(), func(o *Observed) {
			o.Wanted, o.Revision, o.Refused, o.Status.Failures = nil, "", true, []odiv1.AgentFailure{{Reason: "AgentCrashLoop"}}
		}), "Done  RolledBack AgentCrashLoop"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Plan(noon, tc.in)
			got := fmt.Sprint(s.Kind)
			if s.Kind != Nothing {
				got += fmt.Sprintf(" %s %s %s", s.Stage, s.Phase, s.Reason)
			}
			if s.Kind == Evict {
				got += " " + s.Pod.Name
			}
			if got != tc.want {
				t.Errorf("got %s (%s), want %s", got, s.Message, tc.want)
			}
		})
	}
}
