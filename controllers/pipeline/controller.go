package pipeline

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
	"sigs.k8s.io/controller-runtime/pkg/source"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/kube"
)

// fieldManager owns what this controller writes.
const fieldManager = client.FieldOwner("odi/pipeline")

// lookAgain is how often secrets are read again and missing objects made anew:
// a rotated secret is to be in use within 30 s, and Secrets of all namespaces
// are not watched, because that needs the right to list them.
const lookAgain = 15 * time.Second

// lookEvery bounds how often all Secrets are read because of somebody's edits.
const lookEvery = 500 * time.Millisecond

// Controller keeps the configurations of the gateway and of the node collectors.
type Controller struct {
	client    client.Client // Destinations and Deployments, from the cache.
	reader    client.Reader // The rest: a cache of it would be one of the whole cluster.
	events    recorder.EventRecorder
	config    kube.Config
	validator collectorconfig.Validator
	// owned says that the manager's Deployment was there before.
	owned bool
	// changed is when the gateway got its latest configuration.
	changed time.Time
	// looked is when all was read the last time.
	looked time.Time
	now    func() time.Time
}

// +kubebuilder:rbac:groups=odi.dev,resources=destinations,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=configmaps;secrets,verbs=create,namespace=odi-system
// +kubebuilder:rbac:groups="",resources=configmaps,resourceNames=odi-gateway;odi-gateway-1;odi-gateway-2;odi-gateway-3;odi-gateway-4;odi-gateway-5;odi-gateway-6;odi-gateway-7;odi-gateway-lanes;odi-gateway-lanes-1;odi-gateway-lanes-2;odi-gateway-lanes-3;odi-gateway-lanes-4;odi-gateway-lanes-5;odi-gateway-lanes-6;odi-gateway-lanes-7,verbs=get,namespace=odi-system
// +kubebuilder:rbac:groups="",resources=configmaps,resourceNames=odi-gateway;odi-gateway-1;odi-gateway-2;odi-gateway-3;odi-gateway-4;odi-gateway-5;odi-gateway-6;odi-gateway-7;odi-gateway-lanes;odi-gateway-lanes-1;odi-gateway-lanes-2;odi-gateway-lanes-3;odi-gateway-lanes-4;odi-gateway-lanes-5;odi-gateway-lanes-6;odi-gateway-lanes-7;odi-node-collector,verbs=patch,namespace=odi-system
// +kubebuilder:rbac:groups="",resources=secrets,resourceNames=odi-gateway-credentials;odi-gateway-credentials-1;odi-gateway-credentials-2;odi-gateway-credentials-3;odi-gateway-credentials-4;odi-gateway-credentials-5;odi-gateway-credentials-6;odi-gateway-credentials-7,verbs=patch,namespace=odi-system
// +kubebuilder:rbac:groups="",resources=pods,verbs=list
// +kubebuilder:rbac:groups="",resources=pods,verbs=patch,namespace=odi-system
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	return SetupWith(mgr, cfg, collectorconfig.Validator{})
}

// SetupWith is Setup with a collector of the caller's choice to validate with.
func SetupWith(mgr manager.Manager, cfg kube.Config, validator collectorconfig.Validator) error {
	c := &Controller{
		client:    mgr.GetClient(),
		reader:    mgr.GetAPIReader(),
		events:    mgr.GetEventRecorder("odi-pipeline"),
		config:    cfg,
		validator: validator,
		now:       time.Now,
	}
	return builder.ControllerManagedBy(mgr).
		Named("pipeline").
		Watches(&odiv1.Destination{}, c.toPipeline(), builder.WithPredicates(verdictChanges)).
		Watches(&appsv1.Deployment{}, c.toPipeline(), builder.WithPredicates(c.ownDeployments())).
		WatchesRawSource(source.Func(c.atStart)).
		Complete(reconcile.Func(c.Reconcile))
}

// Reconcile brings the collectors in line.
func (c *Controller) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	if rest := lookEvery - c.now().Sub(c.looked); rest > 0 {
		return reconcile.Result{RequeueAfter: rest}, nil
	}
	c.looked = c.now()
	in, err := c.gather(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	if c.uninstalled(in) {
		return reconcile.Result{}, nil
	}
	p, err := decide(in)
	if err != nil {
		return reconcile.Result{}, err
	}
	return c.apply(ctx, in, p)
}

// uninstalled says that the manager's Deployment was deleted and this process is
// about to be: what was written now would have no owner and stay for ever.
func (c *Controller) uninstalled(in Input) bool {
	if in.Manager != nil {
		c.owned = true
	}
	return c.owned && (in.Manager == nil || in.Manager.DeletionTimestamp != nil)
}
