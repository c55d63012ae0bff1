package selection

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// fieldManager owns what this controller writes.
const fieldManager = client.FieldOwner("odi/select")

// parallelNamespaces are reconciled at once; a namespace writes in parallel by itself.
const parallelNamespaces = 2

// Controller selects the workloads of one namespace at a time, since that is
// how far a config reaches: one pass sees all that decides who wins.
type Controller struct {
	client client.Client
	events recorder.EventRecorder
	config kube.Config
	now    func() time.Time
}

// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=pods;replicationcontrollers,verbs=list;watch
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets;daemonsets;replicasets,verbs=list;watch
// +kubebuilder:rbac:groups=batch,resources=cronjobs;jobs,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentationconfigs,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentationconfigs/status,verbs=patch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	c := &Controller{
		client: mgr.GetClient(),
		events: mgr.GetEventRecorder("odi-select"),
		config: cfg,
		now:    time.Now,
	}
	b := builder.ControllerManagedBy(mgr).
		Named("select").
		For(&corev1.Namespace{}, builder.WithPredicates(namespaceAppears)).
		Watches(&odiv1.InstrumentationConfig{}, toNamespace, builder.WithPredicates(specChanges)).
		Watches(&odiv1.InstrumentedWorkload{}, toNamespace, builder.WithPredicates(resultChanges)).
		WithOptions(controller.Options{MaxConcurrentReconciles: parallelNamespaces})
	for _, kind := range workload.Kinds() {
		b = b.Watches(kube.NewWorkloadObject(kind), toNamespace, builder.WithPredicates(selectionChanges))
	}
	return b.Complete(reconcile.AsReconciler(mgr.GetClient(), c))
}

// Reconcile makes the InstrumentedWorkloads of one namespace what its configs select.
func (c *Controller) Reconcile(ctx context.Context, ns *corev1.Namespace) (reconcile.Result, error) {
	if !ns.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil // All in it goes by itself.
	}
	in, err := c.gather(ctx, ns.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, c.apply(ctx, in, decide(in))
}
