package stage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
)

const (
	// System is where odi is installed.
	System = "odi-system"
	// Traffic is where the driver runs. No other namespace of the stage exists before it.
	Traffic = "traffic"
)

// Namespaces are those that the manifests make.
var Namespaces = []string{Traffic, jaeger.Namespace, shop.Namespace}

const (
	ownerLabel = "app.kubernetes.io/managed-by"
	owner      = "odi-demo"
)

// Claim refuses a cluster of somebody else on which the stage would touch what
// it has not made: one of its namespaces, or an odi that is used already. It
// marks the cluster by making the first namespace.
func (c *Cluster) Claim(ctx context.Context) error {
	claimed, err := c.Claimed(ctx)
	if err != nil {
		return err
	}
	for _, name := range Namespaces {
		ns, err := c.namespace(ctx, name)
		if err != nil {
			return err
		}
		if ns != nil && !ours(ns) {
			return fmt.Errorf("namespace %s is there already and is not the demo's; nothing was changed. Use a cluster without the namespaces %s",
				name, strings.Join(Namespaces, ", "))
		}
	}
	if claimed {
		return nil
	}
	ns, err := c.namespace(ctx, System)
	if err != nil {
		return err
	}
	if ns != nil {
		return fmt.Errorf("namespace %s is there already: the demo removes odi when it ends, so it wants to install it itself; "+
			"nothing was changed. Run `odi uninstall` first if you can do without, or use another cluster", System)
	}
	first := &corev1.Namespace{}
	first.Name, first.Labels = Traffic, map[string]string{ownerLabel: owner}
	if err := c.Create(ctx, first); err != nil {
		return fmt.Errorf("making namespace %s: %w", Traffic, err)
	}
	return nil
}

// Claimed says whether the stage was set up on the cluster.
func (c *Cluster) Claimed(ctx context.Context) (bool, error) {
	ns, err := c.namespace(ctx, Traffic)
	return ns != nil && ours(ns), err
}

// Leave deletes the stage's namespaces, the one that marks the cluster last, and
// waits until they are gone. What carries another owner's label stays.
func (c *Cluster) Leave(ctx context.Context) error {
	for i := len(Namespaces) - 1; i >= 0; i-- {
		ns, err := c.namespace(ctx, Namespaces[i])
		if err != nil {
			return err
		}
		if ns == nil || !ours(ns) {
			continue
		}
		if err := client.IgnoreNotFound(c.Client.Delete(ctx, ns)); err != nil {
			return fmt.Errorf("deleting namespace %s: %w", ns.Name, err)
		}
		err = Eventually(ctx, 2*time.Minute, 250*time.Millisecond, func(ctx context.Context) (bool, string) {
			left, err := c.namespace(ctx, Namespaces[i])
			return left == nil && err == nil, "it is still being deleted"
		})
		if err != nil {
			return fmt.Errorf("deleting namespace %s: %w", ns.Name, err)
		}
	}
	return nil
}

// namespace is nil if there is none of the name.
func (c *Cluster) namespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	ns := &corev1.Namespace{}
	err := c.Get(ctx, client.ObjectKey{Name: name}, ns)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading namespace %s: %w", name, err)
	}
	return ns, nil
}

func ours(ns *corev1.Namespace) bool { return ns.Labels[ownerLabel] == owner }

// errNoImages is followed by what the user can do.
var errNoImages = errors.New(`the cluster's nodes cannot get the images. Either name a registry that you can push to and they can pull from:
  export ODI_REGISTRY=registry.example.com/odi
or put the archives that ` + "`go run ./hack/images build`" + ` prints on every node:
  kind load image-archive FILE; minikube image load FILE; ctr -n k8s.io images import FILE`)

// unpulled names the first image that a node has tried to pull and has not got.
func unpulled(pods []corev1.Pod) error {
	for _, p := range pods {
		for _, s := range p.Status.ContainerStatuses {
			if w := s.State.Waiting; w != nil && (w.Reason == "ImagePullBackOff" || w.Reason == "ErrImageNeverPull") {
				return fmt.Errorf("pod %s/%s: %s: %w", p.Namespace, p.Name, w.Message, errNoImages)
			}
		}
	}
	return nil
}
