package facts

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// fieldManager owns what this controller writes.
const fieldManager = client.FieldOwner("odi/facts")

// parallelWorkloads are folded at once; each costs at most one write.
const parallelWorkloads = 4

// Controller folds the facts about one workload at a time.
type Controller struct {
	client client.Client
	events recorder.EventRecorder
	now    func() time.Time
}

// +kubebuilder:rbac:groups="",resources=pods;replicationcontrollers,verbs=list;watch
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets;daemonsets;replicasets,verbs=list;watch
// +kubebuilder:rbac:groups=batch,resources=cronjobs;jobs,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads;nodeinstrumentations,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, _ kube.Config) error {
	c := &Controller{client: mgr.GetClient(), events: mgr.GetEventRecorder("odi-facts"), now: time.Now}
	if err := indexByWorkload(mgr); err != nil {
		return err
	}
	generationChanges := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	expectationChanges := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, idleChanges))
	b := builder.ControllerManagedBy(mgr).
		Named("facts").
		For(&odiv1.InstrumentedWorkload{}, generationChanges).
		Watches(&odiv1.NodeInstrumentation{}, toChangedWorkloads).
		WithOptions(controller.Options{MaxConcurrentReconciles: parallelWorkloads})
	for _, kind := range workload.Kinds() {
		b = b.Watches(kube.NewWorkloadObject(kind), kube.ToInstrumentedWorkload(), expectationChanges)
	}
	return b.Complete(reconcile.AsReconciler(mgr.GetClient(), c))
}

// Reconcile folds the facts about one workload.
func (c *Controller) Reconcile(ctx context.Context, iw *odiv1.InstrumentedWorkload) (reconcile.Result, error) {
	in, err := c.gather(ctx, iw)
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, c.apply(ctx, iw, fold(in))
}
