package decide

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// generationChanges passes changes of a spec: of what the user wants, or of a pod template.
var generationChanges = predicate.GenerationChangedPredicate{}

// inputChanges passes InstrumentedWorkloads that are new, or whose selection, decision, runtimes
// or failures changed; pods that come and go pass by.
var inputChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
			return true
		}
		return !equality.Semantic.DeepEqual(known(e.ObjectOld), known(e.ObjectNew))
	},
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}

// knowledge is what of a status a decision depends on.
type knowledge struct {
	Runtimes map[string]odiv1.Runtime
	Starts   map[string]odiv1.StartFacts
	Failures []odiv1.AgentFailure
}

func known(obj client.Object) knowledge {
	k := knowledge{Runtimes: map[string]odiv1.Runtime{}, Starts: map[string]odiv1.StartFacts{}}
	if iw, ok := obj.(*odiv1.InstrumentedWorkload); ok {
		for _, c := range iw.Status.Containers {
			k.Runtimes[c.Name], k.Starts[c.Name] = c.Runtime, c.Start
		}
		k.Failures = iw.Status.Rollout.Failures
	}
	return k
}

// imageChanges passes pods that run another image than before, or none any more.
var imageChanges = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool { return !maps.Equal(imagesOf(e.ObjectOld), imagesOf(e.ObjectNew)) },
}

func imagesOf(obj client.Object) map[string]string {
	images := map[string]string{}
	if pod, ok := obj.(*corev1.Pod); ok {
		for _, s := range pod.Status.ContainerStatuses {
			images[s.Name] = s.ImageID
		}
	}
	return images
}

// isTried tells that an agent failed in a workload: with another image it is tried anew.
func isTried(_ *corev1.Pod, iw *odiv1.InstrumentedWorkload) bool {
	return iw != nil && len(iw.Status.Rollout.Failures) > 0
}
