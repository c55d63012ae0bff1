package cluster

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/internal/workload"
)

// excludeFlag is the manager's, once for each namespace that the administrator excludes.
const excludeFlag = "--exclude-namespace="

// WhyExcluded says why nothing in a namespace may be instrumented, as far as it can
// be seen; empty when it may. Whoever may not look at the manager knows of Kubernetes'
// namespaces and odi's own.
func WhyExcluded(ctx context.Context, c client.Client, namespace string) string {
	if workload.IsSystemNamespace(namespace) {
		return fmt.Sprintf("odi never instruments the namespace %s; it belongs to Kubernetes itself", namespace)
	}
	odi, err := OdiNamespace(ctx, c)
	if err != nil {
		return ""
	}
	if namespace == odi {
		return fmt.Sprintf("odi never instruments the namespace %s; it is odi's own", namespace)
	}
	var manager appsv1.Deployment
	if err := c.Get(ctx, client.ObjectKey{Namespace: odi, Name: ManagerName}, &manager); err != nil {
		return ""
	}
	for _, container := range manager.Spec.Template.Spec.Containers {
		if slices.Contains(container.Args, excludeFlag+namespace) {
			return fmt.Sprintf("odi never instruments the namespace %s; the administrator has excluded it (excludedNamespaces in the chart's values)", namespace)
		}
	}
	return ""
}
