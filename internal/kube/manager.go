package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// stopWithin leaves reconciles the time for the request that they are in; the
// kubelet's own patience ends at 30 s.
const stopWithin = 10 * time.Second

// reconcileWithin bounds one reconcile, so that an API server or a validator that says
// nothing ends in an error and another try. The longest, a judgement of a Destination, takes seconds.
const reconcileWithin = 2 * time.Minute

// ManagerOptions are what differs between the process and a test.
type ManagerOptions struct {
	// MetricsAddress and HealthAddress are where the manager can be asked how it is; "0" means nowhere.
	MetricsAddress string
	HealthAddress  string
	// LeaderElect lets a second replica wait and take over within seconds.
	LeaderElect bool
	// SharedProcess lets managers come one after the other in one process, as tests
	// do, though their controllers then share the metrics of their names.
	SharedProcess bool
	Logger        logr.Logger
}

// controllers is what all of them have in common.
func controllers(opts ManagerOptions) config.Controller {
	return config.Controller{SkipNameValidation: &opts.SharedProcess, ReconciliationTimeout: reconcileWithin}
}

// NewManager makes the manager that all controllers run in: in the process and in their tests.
func NewManager(restConfig *rest.Config, cfg Config, opts ManagerOptions) (manager.Manager, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	patience, readYourWrites := stopWithin, true
	mgr, err := manager.New(restConfig, manager.Options{
		Scheme: scheme,
		Logger: opts.Logger,
		Cache:  cache.Options{ByObject: CacheByObject(cfg.Namespace), DefaultTransform: cache.TransformStripManagedFields()},
		Client: client.Options{Cache: &client.CacheOptions{
			// A cache of Secrets would hold every one of the cluster, and need the right to list them.
			DisableFor: []client.Object{&corev1.Secret{}},
			// Without it a second pass over what was just written makes a second Event.
			EnableReadYourWritesConsistency: &readYourWrites,
		}},
		Metrics:                       server.Options{BindAddress: opts.MetricsAddress},
		HealthProbeBindAddress:        opts.HealthAddress,
		LeaderElection:                opts.LeaderElect,
		LeaderElectionID:              "odi-manager",
		LeaderElectionNamespace:       cfg.Namespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       &patience,
		Controller:                    controllers(opts),
	})
	if err != nil {
		return nil, fmt.Errorf("making the manager: %w", err)
	}
	if err := indexByConfig(mgr); err != nil {
		return nil, err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("caches", cachesAreFilled(mgr.GetCache())); err != nil {
		return nil, fmt.Errorf("adding the readiness check: %w", err)
	}
	return mgr, nil
}

// cachesAreFilled says no while a controller waits for what it may not read, or
// for an API server that does not answer.
func cachesAreFilled(c cache.Cache) healthz.Checker {
	return func(r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), 500*time.Millisecond)
		defer cancel()
		if !c.WaitForCacheSync(ctx) {
			return errors.New("not all that the controllers need was read yet")
		}
		return nil
	}
}
