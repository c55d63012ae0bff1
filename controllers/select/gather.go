package selection

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// input is all that decides what is selected in one namespace.
type input struct {
	namespace string
	excluded  bool
	configs   []odiv1.InstrumentationConfig
	workloads []kube.Workload
	// existing is what was selected before.
	existing []odiv1.InstrumentedWorkload
}

// gather reads the namespace from the cache. Nothing is copied, so nothing may be changed.
func (c *Controller) gather(ctx context.Context, namespace string) (input, error) {
	in := input{namespace: namespace, excluded: c.config.Excludes(namespace)}
	var configs odiv1.InstrumentationConfigList
	var existing odiv1.InstrumentedWorkloadList
	if err := errors.Join(c.list(ctx, namespace, &configs), c.list(ctx, namespace, &existing)); err != nil {
		return input{}, err
	}
	in.configs, in.existing = configs.Items, existing.Items
	if len(in.configs) == 0 {
		return in, nil // Most namespaces of a cluster: their workloads need no look.
	}
	for _, kind := range workload.Kinds() {
		list := kube.NewWorkloadList(kind)
		if err := c.list(ctx, namespace, list); err != nil {
			return input{}, err
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj, ok := item.(client.Object)
			if !ok || !obj.GetDeletionTimestamp().IsZero() || kube.OwnedByCronJob(obj) {
				return nil
			}
			if w, ok := kube.ReadWorkload(obj); ok {
				in.workloads = append(in.workloads, w)
			}
			return nil
		})
		if err != nil {
			return input{}, fmt.Errorf("reading the %ss of %s: %w", kind, namespace, err)
		}
	}
	return in, nil
}

func (c *Controller) list(ctx context.Context, namespace string, list client.ObjectList) error {
	if err := c.client.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing %T of %s: %w", list, namespace, err)
	}
	return nil
}
