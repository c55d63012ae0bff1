package node

import (
	"context"
	"errors"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads,verbs=list;watch

// newScheme knows only what an odiglet reads and writes.
func newScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(s), coordinationv1.AddToScheme(s), discoveryv1.AddToScheme(s), odiv1.AddToScheme(s)); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	return s, nil
}

// watcher keeps a cluster equal to the API server.
type watcher struct {
	cache   cache.Cache
	cluster *cluster
}

func newWatcher(config *rest.Config, scheme *runtime.Scheme, c *cluster) (*watcher, error) {
	informers, err := cache.New(config, cache.Options{
		Scheme: scheme,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Pod{}: {
				Field:     fields.OneTermEqualSelector("spec.nodeName", c.node),
				Transform: slim,
			},
			&odiv1.InstrumentedWorkload{}: {Transform: slimWorkload},
			&corev1.Service{}:             {Transform: slimService},
			&discoveryv1.EndpointSlice{}:  {Transform: slimSlice},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("preparing to watch the API server: %w", err)
	}
	return &watcher{cache: informers, cluster: c}, nil
}

// start watches until ctx ends; it returns once everything was read.
func (w *watcher) start(ctx context.Context) error {
	if err := w.handle(ctx, &corev1.Pod{}, w.pod, w.podGone); err != nil {
		return err
	}
	if err := w.handle(ctx, &odiv1.InstrumentedWorkload{}, w.workload, w.workloadGone); err != nil {
		return err
	}
	if err := w.cluster.directory.follow(ctx, w); err != nil {
		return err
	}
	go func() {
		// It returns an error only when it is started twice.
		_ = w.cache.Start(ctx)
	}()
	if !w.cache.WaitForCacheSync(ctx) {
		return fmt.Errorf("reading pods and InstrumentedWorkloads: %w", context.Cause(ctx))
	}
	return nil
}

func (w *watcher) handle(ctx context.Context, kind client.Object, set, gone func(any)) error {
	informer, err := w.cache.GetInformer(ctx, kind, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watching %T: %w", kind, err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    set,
		UpdateFunc: func(_, now any) { set(now) },
		DeleteFunc: func(obj any) {
			if last, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			gone(obj)
		},
	})
	if err != nil {
		return fmt.Errorf("watching %T: %w", kind, err)
	}
	return nil
}

func (w *watcher) pod(obj any) {
	if p, ok := obj.(*corev1.Pod); ok {
		w.cluster.setPod(readPod(p))
	}
}

func (w *watcher) podGone(obj any) {
	if p, ok := obj.(*corev1.Pod); ok {
		w.cluster.deletePod(p.Namespace, p.Name)
	}
}

func (w *watcher) workload(obj any) {
	iw, ok := obj.(*odiv1.InstrumentedWorkload)
	if !ok {
		return
	}
	if iw.DeletionTimestamp != nil {
		w.workloadGone(obj)
		return
	}
	w.cluster.setWorkload(workload.In(iw.Namespace, iw.Spec.Workload), readWorkload(iw))
}

func (w *watcher) workloadGone(obj any) {
	if iw, ok := obj.(*odiv1.InstrumentedWorkload); ok {
		w.cluster.deleteWorkload(workload.In(iw.Namespace, iw.Spec.Workload))
	}
}

// slimWorkload drops what readWorkload does not read.
func slimWorkload(obj any) (any, error) {
	if iw, ok := obj.(*odiv1.InstrumentedWorkload); ok {
		iw.ManagedFields = nil
		iw.Status = odiv1.InstrumentedWorkloadStatus{}
	}
	return obj, nil
}
