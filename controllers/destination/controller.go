package destination

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/outbound"
)

// fieldManager owns what this controller writes.
const fieldManager = client.FieldOwner("odi/destination")

// lookAgain is how often a Destination's health is looked at. With as long for
// a heartbeat and for a look at the gateway, a dead backend shows in 20 s.
const lookAgain = 5 * time.Second

// atOnce keeps one that takes the collector long from holding up all others.
const atOnce = 2

// Controller judges Destinations.
type Controller struct {
	client    client.Client
	reader    client.Reader // Secrets are read directly: a cache would hold all of the cluster.
	events    recorder.EventRecorder
	namespace string
	validator collectorconfig.Validator
	health    healthSource
	outbound  outbound.Policy
	now       func() time.Time

	mu        sync.Mutex
	validated map[types.UID]validation
	counted   map[types.UID]counts
	judgedAt  map[types.UID]time.Time
}

// healthSource tells how a lane of the gateway is.
type healthSource interface {
	// healthOf a lane, by its key; generation is the Destination's now.
	healthOf(key string, generation int64) health
	// await asks for news more often until then.
	await(until time.Time)
}

// Options are what differs between the process and a test.
type Options struct {
	// Validator asks the collector.
	Validator collectorconfig.Validator
	// Metrics of the gateway's pods; nil means over HTTP.
	Metrics Metrics
}

// +kubebuilder:rbac:groups=odi.dev,resources=destinations,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=destinations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups="",resources=pods,verbs=list
// +kubebuilder:rbac:groups="",resources=pods/log,verbs=get,namespace=odi-system
// +kubebuilder:rbac:groups="",resources=services,resourceNames=odi-gateway,verbs=get,namespace=odi-system
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	return SetupWith(mgr, cfg, Options{})
}

// SetupWith is Setup with parts of the caller's choice.
func SetupWith(mgr manager.Manager, cfg kube.Config, opts Options) error {
	clientset, err := kubernetes.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("connecting for logs: %w", err)
	}
	if opts.Metrics == nil {
		opts.Metrics = metricsOverHTTP
	}
	o := newObserver(mgr.GetAPIReader(), cfg.Namespace, opts.Metrics, podLogs{clientset: clientset, namespace: cfg.Namespace})
	if err := mgr.Add(o); err != nil {
		return fmt.Errorf("adding the gateway's observer: %w", err)
	}
	c := &Controller{
		client:    mgr.GetClient(),
		reader:    mgr.GetAPIReader(),
		events:    mgr.GetEventRecorder("odi-destination"),
		namespace: cfg.Namespace,
		validator: opts.Validator,
		health:    o,
		outbound:  outbound.Policy{Namespace: cfg.Namespace, Allow: cfg.AllowAddresses, Own: o.addresses},
		now:       time.Now,
		validated: map[types.UID]validation{},
		counted:   map[types.UID]counts{},
		judgedAt:  map[types.UID]time.Time{},
	}
	return builder.ControllerManagedBy(mgr).
		Named("destination").
		For(&odiv1.Destination{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: atOnce}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), c))
}

// Reconcile judges one Destination.
func (c *Controller) Reconcile(ctx context.Context, d *odiv1.Destination) (reconcile.Result, error) {
	if rest := c.tooSoon(d); rest > 0 {
		return reconcile.Result{RequeueAfter: rest}, nil
	}
	in, err := c.gather(ctx, d)
	if err != nil {
		return reconcile.Result{}, err
	}
	o := decide(in)
	err = c.apply(ctx, d, o)
	return reconcile.Result{RequeueAfter: c.nextLook(d, o)}, errors.Join(err, in.Unasked)
}

// nextLook is soon while somebody may be waiting for a change to work.
func (c *Controller) nextLook(d *odiv1.Destination, o outcome) time.Duration {
	until := unknownSince(d, c.now()).Add(lookFor)
	if o.exporting.status != metav1.ConditionUnknown || !c.now().Before(until) {
		return lookAgain
	}
	c.health.await(until)
	return lookSoon
}

// unknownSince is when it became unknown whether a backend takes the data, now at the latest.
func unknownSince(d *odiv1.Destination, now time.Time) time.Time {
	before := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionExporting)
	if before == nil || before.Status != metav1.ConditionUnknown {
		return now
	}
	return before.LastTransitionTime.Time
}

// judgeEvery is how often one Destination's changes are judged: who edits it all
// the time is not to keep the collector busy for everybody.
const judgeEvery = time.Second

// tooSoon is how long a changed Destination has to wait. The first change waits for nothing.
func (c *Controller) tooSoon(d *odiv1.Destination) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if rest := judgeEvery - now.Sub(c.judgedAt[d.UID]); rest > 0 && d.Status.ObservedGeneration != d.Generation {
		return rest
	}
	if len(c.judgedAt) > rememberedAtMost {
		clear(c.judgedAt)
	}
	c.judgedAt[d.UID] = now
	return 0
}
