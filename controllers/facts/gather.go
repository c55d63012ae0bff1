package facts

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// Input is all that is known of one workload.
type Input struct {
	Kind odiv1.WorkloadKind
	// Decisions say which containers are to be instrumented.
	Decisions []odiv1.ContainerDecision
	// Passing are the containers that end before the others start.
	Passing []string
	// Idle says why no pod is to be expected; empty when one is.
	Idle  string
	Nodes []Node
	// Before is what was seen last; it is kept while no pod runs.
	Before []odiv1.ContainerStatus
}

// Node is what one node has to say of the workload.
type Node struct {
	Name string
	// Unable says why the node cannot instrument anything; empty when it can.
	Unable string
	// Silent says since when its odiglet says nothing; empty while it lives. What Facts say was so then.
	Silent string
	Facts  []odiv1.ContainerFact
}

// gather reads from the cache; nothing that it returns may be changed.
func (c *Controller) gather(ctx context.Context, iw *odiv1.InstrumentedWorkload) (Input, error) {
	ref := workload.In(iw.Namespace, iw.Spec.Workload)
	in := Input{Kind: ref.Kind, Decisions: iw.Spec.Containers, Before: iw.Status.Containers}
	var nodes odiv1.NodeInstrumentationList
	err := c.client.List(ctx, &nodes, client.MatchingFields{workloadIndex: ref.String()}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return Input{}, fmt.Errorf("listing the nodes that know %s: %w", ref, err)
	}
	for i := range nodes.Items {
		ni := &nodes.Items[i]
		node := Node{Name: ni.Name, Unable: unable(ni), Silent: silentSince(ni)}
		for _, fact := range ni.Status.Containers {
			if workload.In(fact.Namespace, fact.Workload) == ref {
				node.Facts = append(node.Facts, fact)
			}
		}
		in.Nodes = append(in.Nodes, node)
	}
	w, _, err := kube.FindWorkload(ctx, c.client, ref)
	if err != nil {
		return Input{}, err
	}
	in.Idle, in.Passing = w.Idle, w.Passing
	return in, nil
}

// silentSince is the clock time since which the node's odiglet is silent; empty while it speaks.
func silentSince(obj client.Object) string {
	ni, ok := obj.(*odiv1.NodeInstrumentation)
	if !ok {
		return ""
	}
	ready := meta.FindStatusCondition(ni.Status.Conditions, odiv1.ConditionReady)
	if ready == nil || ready.Reason != odiv1.ReasonOdigletSilent {
		return ""
	}
	return ready.LastTransitionTime.UTC().Format("15:04:05 MST")
}

// unable says why a node's odiglet cannot instrument; empty when it can or has not said.
func unable(obj client.Object) string {
	ni, ok := obj.(*odiv1.NodeInstrumentation)
	if !ok {
		return ""
	}
	ready := meta.FindStatusCondition(ni.Status.Conditions, odiv1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionFalse {
		return ""
	}
	return fmt.Sprintf("Node %s: %s", ni.Name, ready.Message)
}
