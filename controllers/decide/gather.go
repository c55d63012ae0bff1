package decide

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// Input is all that a decision about one workload depends on.
type Input struct {
	Containers []Container
}

// Container is all that the decision about one container depends on.
type Container struct {
	Name string
	// Wanted is the method that the user asked for, and Config where.
	Wanted odiv1.Method
	Config string
	// Overridden means that the config names this very container.
	Overridden bool
	// InTemplate is false for a container that something added to the pods.
	InTemplate bool
	// Runtime is zero until an odiglet has seen a process of the container.
	Runtime odiv1.Runtime
}

// gather reads what the decision depends on. It is nil when the config or the
// workload has gone: select will notice and delete the InstrumentedWorkload.
func (c *Controller) gather(ctx context.Context, iw *odiv1.InstrumentedWorkload) (*Input, error) {
	var config odiv1.InstrumentationConfig
	err := c.client.Get(ctx, types.NamespacedName{Namespace: iw.Namespace, Name: iw.Spec.Config}, &config)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config of %s/%s: %w", iw.Namespace, iw.Name, err)
	}
	ref := workload.In(iw.Namespace, iw.Spec.Workload)
	w, found, err := kube.FindWorkload(ctx, c.client, ref)
	if err != nil || !found {
		return nil, err
	}
	return &Input{Containers: containers(w.Containers, config, iw.Status.Containers)}, nil
}

// containers lists those of the template in its order, then those seen besides.
func containers(template []string, config odiv1.InstrumentationConfig, seen []odiv1.ContainerStatus) []Container {
	runtimes := map[string]odiv1.Runtime{}
	for _, s := range seen {
		runtimes[s.Name] = s.Runtime
	}
	overrides := map[string]odiv1.Method{}
	for _, o := range config.Spec.Containers {
		overrides[o.Name] = o.Method
	}
	list := make([]Container, 0, len(template))
	listed := map[string]bool{}
	add := func(name string, inTemplate bool) {
		if listed[name] {
			return
		}
		listed[name] = true
		c := Container{Name: name, Wanted: config.Spec.Method, Config: config.Name, InTemplate: inTemplate, Runtime: runtimes[name]}
		if method, ok := overrides[name]; ok {
			c.Wanted, c.Overridden = method, true
		}
		list = append(list, c)
	}
	for _, name := range template {
		add(name, true)
	}
	for _, s := range seen {
		add(s.Name, false)
	}
	return list
}
