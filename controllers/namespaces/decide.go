package namespaces

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Input is what there is.
type Input struct {
	// Namespaces in which a container is to have an agent, in any order.
	Namespaces []string
	// Excludes says whether nothing of a namespace may be changed.
	Excludes func(namespace string) bool
	// Authorities that the webhook is known by; empty while there are none.
	Authorities []byte
}

func wantsAgent(containers []odiv1.ContainerDecision) bool {
	return slices.ContainsFunc(containers, func(c odiv1.ContainerDecision) bool {
		return c.Method == odiv1.MethodAgent && c.Agent != (odiv1.AgentReference{})
	})
}

// selector selects the namespaces whose pods are asked about. A namespace says no by a label. Every namespace
// has its name as a label, so that one without it selects none.
func selector(in Input) metav1.LabelSelector {
	names := slices.DeleteFunc(slices.Clone(in.Namespaces), in.Excludes)
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 || len(in.Authorities) == 0 {
		return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpDoesNotExist},
		}}
	}
	return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: names},
		{Key: odiv1.LabelInject, Operator: metav1.LabelSelectorOpNotIn, Values: []string{"false"}},
	}}
}
