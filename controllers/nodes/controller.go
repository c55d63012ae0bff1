package nodes

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// fieldManager owns what this controller writes.
const fieldManager = client.FieldOwner("odi/nodes")

// Controller listens for signs of life.
type Controller struct {
	client    client.Client
	namespace string
	now       func() time.Time

	mu    sync.Mutex
	signs map[string]sign // by node
}

// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=odi-system,resources=leases,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=nodeinstrumentations,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=nodeinstrumentations/status,verbs=patch

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	c := &Controller{client: mgr.GetClient(), namespace: cfg.Namespace, now: time.Now, signs: map[string]sign{}}
	return builder.ControllerManagedBy(mgr).
		Named("nodes").
		For(&odiv1.NodeInstrumentation{}).
		Watches(&coordinationv1.Lease{}, handler.EnqueueRequestsFromMapFunc(ofLease)).
		Complete(reconcile.Func(c.Reconcile))
}

// ofLease is the node whose odiglet has a Lease; the cache has no others.
func ofLease(_ context.Context, lease client.Object) []reconcile.Request {
	node, is := strings.CutPrefix(lease.GetName(), odiv1.OdigletLease(""))
	if !is {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: node}}}
}

// Reconcile doubts the report of a node whose odiglet is silent.
func (c *Controller) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var ni odiv1.NodeInstrumentation
	if err := c.client.Get(ctx, request.NamespacedName, &ni); err != nil {
		c.forget(request.Name)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	last, err := c.listen(ctx, ni.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	next := decide(c.now(), last, meta.FindStatusCondition(ni.Status.Conditions, odiv1.ConditionReady))
	if next.doubt == nil {
		return reconcile.Result{RequeueAfter: next.again}, nil
	}
	before := ni.DeepCopy()
	if old := meta.FindStatusCondition(ni.Status.Conditions, odiv1.ConditionReady); old != nil {
		*old = *next.doubt // SetStatusCondition would take the time of now.
	} else {
		ni.Status.Conditions = append(ni.Status.Conditions, *next.doubt)
	}
	// The list of conditions is the odiglet's: what it has just written is not to be lost.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := c.client.Status().Patch(ctx, &ni, patch, fieldManager); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("doubting the report of node %s: %w", ni.Name, err)
	}
	return reconcile.Result{RequeueAfter: next.again}, nil
}

// listen is the latest sign of life of a node's odiglet.
func (c *Controller) listen(ctx context.Context, node string) (sign, error) {
	var lease coordinationv1.Lease
	err := c.client.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: odiv1.OdigletLease(node)}, &lease)
	if client.IgnoreNotFound(err) != nil {
		return sign{}, fmt.Errorf("reading the Lease of the odiglet on %s: %w", node, err)
	}
	renewed := ""
	if err == nil && lease.Spec.RenewTime != nil {
		renewed = lease.Spec.RenewTime.UTC().Format(time.RFC3339Nano)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signs[node] = hear(c.signs[node], renewed, c.now())
	return c.signs[node], nil
}

func (c *Controller) forget(node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.signs, node)
}
