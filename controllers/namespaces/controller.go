package namespaces

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

const (
	// secretName has the webhook's authorities in secretKey.
	secretName, secretKey = "odi-webhook-tls", "webhook.crt"
	// lookAgain repairs what an upgrade of the chart or somebody else wrote over, and follows the authorities.
	lookAgain = 30 * time.Second
	// lookSoon is until there are authorities.
	lookSoon = time.Second
)

// Controller keeps the configuration.
type Controller struct {
	client client.Client
	reader client.Reader // Secrets: a cache of them would need the right to list all.
	config kube.Config
}

// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingwebhookconfigurations,resourceNames=odi-pods,verbs=patch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get

// Setup adds the controller to the manager, unless odi has no webhook.
func Setup(mgr manager.Manager, cfg kube.Config) error {
	if cfg.WebhookName == "" {
		return nil
	}
	c := &Controller{client: mgr.GetClient(), reader: mgr.GetAPIReader(), config: cfg}
	return builder.ControllerManagedBy(mgr).
		Named("namespaces").
		Watches(&odiv1.InstrumentedWorkload{}, c.toConfiguration(), builder.WithPredicates(agentsChange)).
		WatchesRawSource(source.Func(c.atStart)).
		Complete(reconcile.Func(c.Reconcile))
}

func (c *Controller) request() reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: c.config.WebhookName}}
}

// atStart asks once; from then on the controller wakes itself.
func (c *Controller) atStart(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	queue.Add(c.request())
	return nil
}

func (c *Controller) toConfiguration() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{c.request()}
	})
}

// agentsChange passes InstrumentedWorkloads that begin or cease to have an agent.
var agentsChange = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return hasAgent(e.Object) },
	UpdateFunc: func(e event.UpdateEvent) bool { return hasAgent(e.ObjectOld) != hasAgent(e.ObjectNew) },
	DeleteFunc: func(e event.DeleteEvent) bool { return hasAgent(e.Object) },
}

func hasAgent(obj client.Object) bool {
	iw, ok := obj.(*odiv1.InstrumentedWorkload)
	return ok && wantsAgent(iw.Spec.Containers)
}

// Reconcile brings the configuration in line.
func (c *Controller) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	in, err := c.gather(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	again := reconcile.Result{RequeueAfter: lookAgain}
	if len(in.Authorities) == 0 {
		again.RequeueAfter = lookSoon
	}
	return again, c.apply(ctx, in.Authorities, selector(in))
}

func (c *Controller) gather(ctx context.Context) (Input, error) {
	in := Input{Excludes: c.config.Excludes}
	var list odiv1.InstrumentedWorkloadList
	if err := c.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return Input{}, fmt.Errorf("listing InstrumentedWorkloads: %w", err)
	}
	for i := range list.Items {
		if wantsAgent(list.Items[i].Spec.Containers) {
			in.Namespaces = append(in.Namespaces, list.Items[i].Namespace)
		}
	}
	var secret corev1.Secret
	err := c.reader.Get(ctx, types.NamespacedName{Namespace: c.config.Namespace, Name: secretName}, &secret)
	if client.IgnoreNotFound(err) != nil {
		return Input{}, fmt.Errorf("reading Secret %s: %w", secretName, err)
	}
	in.Authorities = secret.Data[secretKey]
	return in, nil
}

// apply writes the two fields. Where nothing differs, the API server stores nothing. The configuration comes and
// goes with the chart: one that is not there is no error, and never made.
func (c *Controller) apply(ctx context.Context, authorities []byte, namespaces metav1.LabelSelector) error {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	patch, err := json.Marshal([]operation{
		{"add", "/webhooks/0/namespaceSelector", namespaces},
		{"add", "/webhooks/0/clientConfig/caBundle", authorities},
	})
	if err != nil {
		return fmt.Errorf("writing a patch: %w", err)
	}
	object := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: c.config.WebhookName}}
	err = c.client.Patch(ctx, object, client.RawPatch(types.JSONPatchType, patch), client.DisableReadYourWritesConsistency)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("patching the MutatingWebhookConfiguration %s: %w", c.config.WebhookName, err)
	}
	return nil
}
