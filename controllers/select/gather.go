package selection

import (
	"context"
	"errors"
	"fmt"

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
	workloads, err := kube.ListWorkloads(ctx, c.client, namespace, workload.Kinds()...)
	if err != nil {
		return input{}, err
	}
	in.workloads = workloads
	return in, nil
}

func (c *Controller) list(ctx context.Context, namespace string, list client.ObjectList) error {
	if err := c.client.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing %T of %s: %w", list, namespace, err)
	}
	return nil
}
