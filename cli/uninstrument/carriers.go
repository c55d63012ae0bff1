package uninstrument

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/internal/kube"
)

// carriers counts pods that still have agents. Whoever may not look waits for none.
func carriers(ctx context.Context, c client.Client, wish selected.Wish) []progress.Item {
	pods, err := podsOf(ctx, c, wish)
	if err != nil {
		return nil
	}
	left := 0
	for _, pod := range pods {
		if pod.Annotations[odiv1.AnnotationAgents] != "" {
			left++
		}
	}
	if left == 0 {
		return nil
	}
	return []progress.Item{{Name: "pods of " + wish.String(), Text: fmt.Sprintf("%d still have an agent", left)}}
}

func podsOf(ctx context.Context, c client.Client, wish selected.Wish) ([]*corev1.Pod, error) {
	if wish.Kind != "" {
		return kube.PodsOf(ctx, c, wish.Reference())
	}
	var list corev1.PodList
	if err := c.List(ctx, &list, client.InNamespace(wish.Namespace)); err != nil {
		return nil, fmt.Errorf("listing the pods of %s: %w", wish, err)
	}
	pods := make([]*corev1.Pod, len(list.Items))
	for i := range list.Items {
		pods[i] = &list.Items[i]
	}
	return pods, nil
}
