package uninstall

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/streams"
)

// workers run on every node. They end in the order in which data passes them, each while
// the next still takes what it has: together with the gateway, they would lose it.
var workers = []struct{ daemonSet, component, words string }{
	{cluster.OdigletName, "odiglet", "odiglets"},
	{cluster.NodeCollectorName, "node-collector", "node collectors"},
}

// endTimeout bounds the wait for each: the grace of their pods is 40 s at most. A node
// that is gone does not hold up the rest.
const endTimeout = 45 * time.Second

func endWorkers(ctx context.Context, io streams.Streams, c client.Client, namespace string) error {
	for _, w := range workers {
		set := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: w.daemonSet}}
		if err := client.IgnoreNotFound(c.Delete(ctx, set)); err != nil {
			return fmt.Errorf("deleting the DaemonSet %s: %w", w.daemonSet, err)
		}
		err := progress.Wait(ctx, io, endTimeout, func(ctx context.Context) ([]progress.Item, error) {
			var pods corev1.PodList
			of := client.MatchingLabels{cluster.PartOfLabel: "odi", odiv1.LabelComponent: w.component}
			if err := c.List(ctx, &pods, client.InNamespace(namespace), of); err != nil {
				return nil, fmt.Errorf("listing the %s: %w", w.words, err)
			}
			return []progress.Item{left(w.words, len(pods.Items))}, nil
		})
		if err != nil && !errors.Is(err, progress.ErrTimeout) {
			return err
		}
	}
	return nil
}
