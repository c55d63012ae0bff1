package requests

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/trial"
)

const (
	// rest is between two tests of one Destination: each is data at a backend, which may cost.
	rest = time.Minute
	// atOnce bounds the programs that run beside the gateway, whose memory they share.
	atOnce = 2
	// judged is when to look again at a Destination that was changed and not judged yet.
	judged = time.Second
	// longest is the largest value of the annotation that is answered.
	longest = 256
	// rememberedAtMost bounds what is known of Destinations that are gone.
	rememberedAtMost = 4096
)

// Controller answers requests.
type Controller struct {
	client  client.Client // for what changes: not a cache
	test    func(context.Context, *odiv1.Destination) (trial.Result, error)
	counter counter
	now     func() time.Time

	mu       sync.Mutex
	answered map[types.UID]odiv1.TestRequest // A cache may not have what was written last.
}

// The right to start a program in the gateway's pods is in the chart
// (templates/manager/rbac.yaml), where a policy bounds it.
// +kubebuilder:rbac:groups=odi.dev,resources=destinations,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=destinations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=pods,verbs=list

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return fmt.Errorf("connecting for tests of Destinations: %w", err)
	}
	tests, err := newCounter(metrics.Registry)
	if err != nil {
		return err
	}
	from := trial.Cluster{Client: direct, Config: mgr.GetConfig(), Namespace: cfg.Namespace}
	c := &Controller{client: direct, test: from.Destination, counter: tests, now: time.Now, answered: map[types.UID]odiv1.TestRequest{}}
	return builder.ControllerManagedBy(mgr).
		Named("requests").
		For(&odiv1.Destination{}, builder.WithPredicates(predicate.AnnotationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: atOnce}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), c))
}

// Reconcile answers the latest request for one Destination.
func (c *Controller) Reconcile(ctx context.Context, d *odiv1.Destination) (reconcile.Result, error) {
	request := d.Annotations[odiv1.AnnotationTestRequestedAt]
	wait, due := next(request, c.latest(d), trial.Unjudged(d), c.now())
	if !due {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	result, err := c.test(ctx, d)
	if ctx.Err() != nil {
		return reconcile.Result{}, ctx.Err()
	}
	switch {
	case errors.Is(err, trial.ErrNoRight):
		result.Problem = "odi's manager may not start a program in the gateway's pod here: the chart's values admissionPolicies and " +
			"destinationTestRequests, and Kubernetes 1.30. Whoever may can do so: odi destination test " + d.Name + " -n " + d.Namespace
	case err != nil:
		result.Problem = err.Error()
	}
	c.counter.count(result)
	if err := result.Answer(ctx, c.client, d, request, c.now()); err != nil {
		return reconcile.Result{}, err
	}
	c.remember(d.UID, request)
	return reconcile.Result{}, nil
}

// next says whether a request is to be answered now, and else when to look again, 0 for never.
func next(request string, latest odiv1.TestRequest, unjudged bool, now time.Time) (wait time.Duration, due bool) {
	if request == "" || len(request) > longest || request == latest.Value {
		return 0, false
	}
	if wait := latest.AnsweredAt.Add(rest).Sub(now); wait > 0 {
		return min(wait, rest), false // A clock that was set back holds nothing up for long.
	}
	if unjudged {
		return judged, false
	}
	return 0, true
}

// latest is the request that was answered last, by this process or the one before.
func (c *Controller) latest(d *odiv1.Destination) odiv1.TestRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, found := c.answered[d.UID]; found {
		return known
	}
	if d.Status.TestRequest != nil {
		return *d.Status.TestRequest
	}
	return odiv1.TestRequest{}
}

func (c *Controller) remember(uid types.UID, request string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answered) > rememberedAtMost {
		clear(c.answered)
	}
	c.answered[uid] = odiv1.TestRequest{Value: request, AnsweredAt: metav1.NewTime(c.now())}
}
