package rollout

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
const fieldManager = client.FieldOwner("odi/rollout")

// Controller takes the next step of one workload at a time: with several at once, more than the most
// that may roll could begin.
type Controller struct {
	client client.Client
	events recorder.EventRecorder
	config kube.Config
	now    func() time.Time
	// orphans are workloads without InstrumentedWorkload whose pods have agents. It is memory, not a
	// record: nothing of it keeps a pod from being evicted twice, which its resourceVersion does.
	orphans map[client.ObjectKey]odiv1.RolloutStatus
}

// +kubebuilder:rbac:groups="",resources=pods;replicationcontrollers,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=pods/eviction,verbs=create
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets;daemonsets;replicasets,verbs=list;watch
// +kubebuilder:rbac:groups=batch,resources=cronjobs;jobs,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentationconfigs,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads,verbs=list;watch;patch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	c := &Controller{
		client: mgr.GetClient(), events: mgr.GetEventRecorder("odi-rollout"), config: cfg, now: time.Now,
		orphans: map[client.ObjectKey]odiv1.RolloutStatus{},
	}
	b := builder.ControllerManagedBy(mgr).
		Named("rollout").
		For(&odiv1.InstrumentedWorkload{}, builder.WithPredicates(inputChanges)).
		Watches(&odiv1.InstrumentationConfig{}, kube.ToSelected(c.client), builder.WithPredicates(modeChanges)).
		Watches(&corev1.Pod{}, kube.PodToInstrumentedWorkload(c.client, playsAPart)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 1})
	for _, kind := range workload.Kinds() {
		if kind != odiv1.KindPod {
			b = b.Watches(kube.NewWorkloadObject(kind), kube.ToInstrumentedWorkload(), builder.WithPredicates(paceChanges))
		}
	}
	return b.Complete(reconcile.Func(c.Reconcile))
}

// Reconcile takes the next step of one workload, which need not be selected any more.
func (c *Controller) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	iw := &odiv1.InstrumentedWorkload{}
	err := c.client.Get(ctx, request.NamespacedName, iw)
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, err
	}
	var o *Observed
	if err != nil || !iw.DeletionTimestamp.IsZero() {
		o, iw, err = c.gatherOrphan(ctx, request.NamespacedName)
	} else {
		delete(c.orphans, request.NamespacedName)
		o, err = c.gather(ctx, iw)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if o == nil {
		delete(c.orphans, request.NamespacedName)
		return reconcile.Result{}, nil
	}
	return c.apply(ctx, iw, *o, Plan(c.now(), *o))
}
