package rollout

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// inputChanges passes InstrumentedWorkloads whose decisions, claim or facts about agents changed, and those that go.
var inputChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
			return true
		}
		return !equality.Semantic.DeepEqual(known(e.ObjectOld), known(e.ObjectNew))
	},
}

// knowledge is what of a status written by others a step depends on.
type knowledge struct {
	Claim   *odiv1.CanaryClaim
	Facts   map[string]odiv1.AgentFact
	Answers map[string]Answers
}

func known(obj client.Object) knowledge {
	k := knowledge{Facts: map[string]odiv1.AgentFact{}, Answers: map[string]Answers{}}
	if iw, ok := obj.(*odiv1.InstrumentedWorkload); ok {
		k.Claim = iw.Status.Canary
		for _, c := range iw.Status.Containers {
			k.Facts[c.Name], k.Answers[c.Name] = c.Agent, Answers{Slices: c.Answers, Before: c.Before}
		}
	}
	return k
}

// modeChanges passes configs that say something else about the rollout.
var modeChanges = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool { return modeOf(e.ObjectOld) != modeOf(e.ObjectNew) },
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}

func modeOf(obj client.Object) odiv1.RolloutMode {
	if config, ok := obj.(*odiv1.InstrumentationConfig); ok {
		return config.Spec.Rollout
	}
	return ""
}

// paceChanges passes workloads that want more or fewer pods, or make them otherwise.
var paceChanges = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, _ := kube.ReadWorkload(e.ObjectOld)
		after, _ := kube.ReadWorkload(e.ObjectNew)
		return before.Pace != after.Pace
	},
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}

// playsAPart tells whether a pod matters to a rollout: it has agents, or a plan is there that may
// concern it. Most pods of a cluster pass by.
func playsAPart(pod *corev1.Pod, iw *odiv1.InstrumentedWorkload) bool {
	_, hasAgents := pod.Annotations[odiv1.AnnotationAgents]
	return hasAgents || iw != nil && iw.Spec.Rollout != nil
}
