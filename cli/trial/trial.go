package trial

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/internal/trial"
)

// Destination has the gateway test d.
func Destination(ctx context.Context, to *cluster.Cluster, c client.Client, d *odiv1.Destination) (trial.Result, error) {
	namespace, err := cluster.OdiNamespace(ctx, c)
	if err != nil {
		return trial.Result{}, err
	}
	config, err := to.Config()
	if err != nil {
		return trial.Result{}, err
	}
	return trial.Cluster{Client: c, Config: config, Namespace: namespace}.Destination(ctx, d)
}
