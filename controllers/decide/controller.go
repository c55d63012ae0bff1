package decide

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
const fieldManager = client.FieldOwner("odi/decide")

// parallelWorkloads are decided at once: each costs two writes, so that this
// sets the pace when a large namespace is selected.
const parallelWorkloads = 8

// Controller decides one workload at a time.
type Controller struct {
	client client.Client
	events recorder.EventRecorder
	config kube.Config
	now    func() time.Time
}

// +kubebuilder:rbac:groups="",resources=pods;replicationcontrollers,verbs=list;watch
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets;daemonsets;replicasets,verbs=list;watch
// +kubebuilder:rbac:groups=batch,resources=cronjobs;jobs,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentationconfigs,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads,verbs=list;watch;patch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	c := &Controller{client: mgr.GetClient(), events: mgr.GetEventRecorder("odi-decide"), config: cfg, now: time.Now}
	b := builder.ControllerManagedBy(mgr).
		Named("decide").
		For(&odiv1.InstrumentedWorkload{}, builder.WithPredicates(inputChanges)).
		Watches(&odiv1.InstrumentationConfig{}, kube.ToSelected(c.client), builder.WithPredicates(generationChanges)).
		Watches(&corev1.Pod{}, kube.PodToInstrumentedWorkload(c.client, isTried), builder.WithPredicates(imageChanges)).
		WithOptions(controller.Options{MaxConcurrentReconciles: parallelWorkloads})
	for _, kind := range workload.Kinds() {
		b = b.Watches(kube.NewWorkloadObject(kind), kube.ToInstrumentedWorkload(), builder.WithPredicates(generationChanges))
	}
	return b.Complete(reconcile.AsReconciler(mgr.GetClient(), c))
}

// Reconcile decides for each container of one workload.
func (c *Controller) Reconcile(ctx context.Context, iw *odiv1.InstrumentedWorkload) (reconcile.Result, error) {
	in, err := c.gather(ctx, iw)
	if err != nil || in == nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, c.apply(ctx, iw, decide(*in))
}
