package node

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet/attach"
)

// +kubebuilder:rbac:groups=odi.dev,resources=nodeinstrumentations,verbs=get;create
// +kubebuilder:rbac:groups=odi.dev,resources=nodeinstrumentations/status,verbs=update

const (
	// debounce lets the many changes of one rollout become few writes.
	debounce = 500 * time.Millisecond
	// retry is the pause after a write that failed.
	retry = 5 * time.Second
	// rereadEvery is how long what others wrote on the report stays at most.
	rereadEvery = time.Minute
	// maxReason and maxKernel are the API's limits.
	maxReason = 512
	maxKernel = 128
)

// reporter keeps the node's NodeInstrumentation equal to what the odiglet sees.
// The odiglet is its only writer.
type reporter struct {
	client client.Client
	node   string
	log    *slog.Logger
	// observe returns what is seen now.
	observe func() odiv1.NodeInstrumentationStatus
	dirty   chan struct{}
	doubt   atomic.Bool
}

func newReporter(c client.Client, node string, log *slog.Logger, observe func() odiv1.NodeInstrumentationStatus) *reporter {
	return &reporter{client: c, node: node, log: log, observe: observe, dirty: make(chan struct{}, 1)}
}

// poke asks for a report, soon.
func (r *reporter) poke() {
	select {
	case r.dirty <- struct{}{}:
	default:
	}
}

// doubted asks for a report by somebody who believes that what is on the server is not the odiglet's own.
func (r *reporter) doubted() {
	r.doubt.Store(true)
	r.poke()
}

// run writes what has changed until ctx ends.
func (r *reporter) run(ctx context.Context) error {
	var written *odiv1.NodeInstrumentation
	again := time.NewTicker(rereadEvery)
	defer again.Stop()
	r.poke()
	for {
		select {
		case <-r.dirty:
		case <-again.C:
			r.doubt.Store(true)
		case <-ctx.Done():
			return nil
		}
		if r.doubt.Swap(false) {
			written = nil
		}
		pause := debounce
		now, err := r.write(ctx, written)
		written = now
		if apierrors.IsConflict(err) { // The manager has doubted it.
			r.poke()
		} else if err != nil && ctx.Err() == nil {
			r.log.Error("reporting", "node", r.node, "error", err)
			pause = retry
			r.poke()
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// write brings the object up to date and returns it as it is now on the server;
// nil where that is not known.
func (r *reporter) write(ctx context.Context, last *odiv1.NodeInstrumentation) (*odiv1.NodeInstrumentation, error) {
	if last == nil {
		found, err := r.find(ctx)
		if err != nil {
			return nil, err
		}
		last = found
	}
	want := r.observe()
	stamp(&want, last.Status.Conditions)
	if equality.Semantic.DeepEqual(last.Status, want) {
		return last, nil
	}
	next := last.DeepCopy()
	next.Status = want
	if err := r.client.Status().Update(ctx, next); err != nil {
		return nil, fmt.Errorf("writing NodeInstrumentation %s: %w", r.node, err)
	}
	return next, nil
}

// find reads the node's object or creates it. The Node owns it, so that it goes with the node.
func (r *reporter) find(ctx context.Context) (*odiv1.NodeInstrumentation, error) {
	ni := &odiv1.NodeInstrumentation{}
	err := r.client.Get(ctx, client.ObjectKey{Name: r.node}, ni)
	if err == nil {
		return ni, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading NodeInstrumentation %s: %w", r.node, err)
	}
	node := &metav1.PartialObjectMetadata{}
	node.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Node"))
	if err := r.client.Get(ctx, client.ObjectKey{Name: r.node}, node); err != nil {
		return nil, fmt.Errorf("reading node %s: %w", r.node, err)
	}
	ni = &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{
		Name:   r.node,
		Labels: map[string]string{odiv1.LabelManagedBy: odiv1.ManagedByOdi},
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "v1", Kind: "Node", Name: r.node, UID: node.UID,
		}},
	}}
	if err := r.client.Create(ctx, ni); err != nil {
		return nil, fmt.Errorf("creating NodeInstrumentation %s: %w", r.node, err)
	}
	return ni, nil
}

// stamp keeps the time of a condition that has not changed.
func stamp(status *odiv1.NodeInstrumentationStatus, before []metav1.Condition) {
	now := metav1.Now()
	for i := range status.Conditions {
		c := &status.Conditions[i]
		c.LastTransitionTime = now
		if was := meta.FindStatusCondition(before, c.Type); was != nil && was.Status == c.Status {
			c.LastTransitionTime = was.LastTransitionTime
		}
	}
}

// status is what an odiglet reports. Pure.
func status(kernel string, features []probe.Feature, instances []attach.Instance, facts []odiv1.ContainerFact, truncated int) odiv1.NodeInstrumentationStatus {
	out := odiv1.NodeInstrumentationStatus{
		OdigletVersion: version.Version,
		Kernel:         telemetry.Clip(kernel, maxKernel),
		Containers:     facts,
		Truncated:      int32(truncated),
		Conditions:     []metav1.Condition{ready(features)},
	}
	for _, in := range instances {
		if in.Attached {
			out.Attached++
		}
	}
	for _, f := range features {
		out.Features = append(out.Features, odiv1.Feature{
			Name: string(f.Name), State: odiv1.FeatureState(f.State), Reason: telemetry.Clip(f.Reason, maxReason),
		})
	}
	return out
}

// ready says whether this node can give spans at all.
func ready(features []probe.Feature) metav1.Condition {
	c := metav1.Condition{
		Type: odiv1.ConditionReady, Status: metav1.ConditionTrue,
		Reason: odiv1.ReasonReconcileSucceeded, Message: "This node instruments processes.",
	}
	for _, f := range features {
		if f.Name == probe.SocketSpans && f.State == probe.Unavailable {
			c.Status, c.Reason = metav1.ConditionFalse, odiv1.ReasonFeatureUnavailable
			c.Message = telemetry.Clip("This node cannot instrument processes: "+f.Reason, 2*maxReason)
		}
	}
	return c
}
