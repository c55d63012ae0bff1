package certificates

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// fieldManager owns what this controller writes.
const fieldManager = client.FieldOwner("odi/certificates")

// lookAgain is how soon a Secret that somebody deleted is there again. Secrets are
// not watched: that needs the right to list them.
const lookAgain = 30 * time.Second

// Controller keeps the Secrets.
type Controller struct {
	client client.Client
	reader client.Reader // Secrets: a cache of them would need the right to list all.
	config kube.Config
	now    func() time.Time
	// owned says that the manager's Deployment was there before.
	owned bool
}

// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create,namespace=odi-system
// +kubebuilder:rbac:groups="",resources=secrets,resourceNames=odi-authorities;odi-odiglet-tls;odi-node-collector-tls;odi-gateway-tls;odi-webhook-tls,verbs=patch,namespace=odi-system
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get

// Setup adds the controller to the manager.
func Setup(mgr manager.Manager, cfg kube.Config) error { return SetupWith(mgr, cfg, time.Now) }

// SetupWith is Setup with a clock of the caller's choice.
func SetupWith(mgr manager.Manager, cfg kube.Config, now func() time.Time) error {
	c := &Controller{client: mgr.GetClient(), reader: mgr.GetAPIReader(), config: cfg, now: now}
	return builder.ControllerManagedBy(mgr).
		Named("certificates").
		WatchesRawSource(source.Func(c.atStart)).
		Complete(reconcile.Func(c.Reconcile))
}

// atStart asks once; from then on the controller wakes itself.
func (c *Controller) atStart(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: c.config.Namespace, Name: authoritiesName}})
	return nil
}

// Reconcile brings the Secrets in line.
func (c *Controller) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	owner, err := kube.ManagerDeployment(ctx, c.client, c.config)
	if err != nil {
		return reconcile.Result{}, err
	}
	c.owned = c.owned || owner != nil
	if c.owned && (owner == nil || owner.DeletionTimestamp != nil) {
		return reconcile.Result{}, nil // Uninstalled: what was written now would stay for ever.
	}
	in, versions, err := c.gather(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	secrets, err := decide(in)
	if err != nil {
		return reconcile.Result{}, err
	}
	for _, wanted := range secrets {
		if !wanted.changed {
			continue
		}
		if err := c.apply(ctx, wanted, owner, versions[wanted.name]); err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{RequeueAfter: lookAgain}, nil
}

// apply writes one Secret that is at a version, empty where it is not there.
func (c *Controller) apply(ctx context.Context, s secret, owner *appsv1.Deployment, version string) error {
	object := coreac.Secret(s.name, c.config.Namespace).
		WithLabels(map[string]string{"app.kubernetes.io/part-of": "odi", odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: "certificates"}).
		WithOwnerReferences(kube.OwnedBy(owner)...).
		WithType(corev1.SecretTypeOpaque).
		WithData(s.data)
	if version != "" {
		// A manager that lost its lead must not bring back what it had read.
		object = object.WithResourceVersion(version)
	}
	err := c.client.Apply(ctx, object, fieldManager, client.ForceOwnership, client.DisableReadYourWritesConsistency)
	if err != nil {
		return fmt.Errorf("applying Secret %s: %w", s.name, err)
	}
	log.FromContext(ctx).Info("issued certificates", "secret", s.name)
	return nil
}

// gather reads the Secrets and the versions that they are at.
func (c *Controller) gather(ctx context.Context) (Input, map[string]string, error) {
	in := Input{Namespace: c.config.Namespace, Now: c.now(), Secrets: map[string]map[string][]byte{}}
	versions := map[string]string{}
	for _, name := range []string{authoritiesName, odigletName, nodeCollectorName, gatewayName, webhookName} {
		var s corev1.Secret
		err := c.reader.Get(ctx, types.NamespacedName{Namespace: in.Namespace, Name: name}, &s)
		if client.IgnoreNotFound(err) != nil {
			return Input{}, nil, fmt.Errorf("reading Secret %s: %w", name, err)
		}
		in.Secrets[name], versions[name] = s.Data, s.ResourceVersion
	}
	return in, versions, nil
}
