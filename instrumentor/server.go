package instrumentor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// Options of the webhook's process.
type Options struct {
	// Port to listen on; 0 for no webhook.
	Port int
	// Delivery of agents; DeliveryAuto for what the cluster can do.
	Delivery Delivery
}

const (
	// SecretName has the webhook's certificate, which the certificates controller keeps.
	SecretName = "odi-webhook-tls"
	// webhookPath that the API server asks at.
	webhookPath = "/inject"
	// lookEvery is how old what is known of the cluster gets; a renewed certificate lives on for a month.
	lookEvery = 30 * time.Second
	// lookAtFirst is until there is a certificate.
	lookAtFirst = time.Second
)

// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups="",resources=services,resourceNames=odi-agents,verbs=get,namespace=odi-system
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=list;watch
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads,verbs=list;watch
// +kubebuilder:rbac:groups=odi.dev,resources=instrumentedworkloads/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup adds the webhook to a manager. It answers in every replica, whether that leads or not.
func Setup(mgr manager.Manager, cfg kube.Config, opts Options) error {
	if opts.Port == 0 {
		return nil
	}
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("making the webhook's client: %w", err)
	}
	counters, err := newWebhookMetrics(metrics.Registry)
	if err != nil {
		return fmt.Errorf("registering the webhook's metrics: %w", err)
	}
	// Caches are filled before the first pod comes, and not by it.
	for _, kind := range []odiv1.WorkloadKind{odiv1.KindReplicaSet, odiv1.KindJob} {
		if _, err := mgr.GetCache().GetInformer(context.Background(), kube.NewWorkloadObject(kind)); err != nil {
			return fmt.Errorf("watching each %s: %w", kind, err)
		}
	}
	if _, err := mgr.GetCache().GetInformer(context.Background(), &odiv1.InstrumentedWorkload{}); err != nil {
		return fmt.Errorf("watching InstrumentedWorkloads: %w", err)
	}
	around := &around{cache: mgr.GetCache(), direct: direct, config: cfg, wanted: opts.Delivery, logger: mgr.GetLogger().WithName("webhook")}
	if opts.Delivery == DeliveryAuto {
		if around.discovery, err = discovery.NewDiscoveryClientForConfig(mgr.GetConfig()); err != nil {
			return fmt.Errorf("making the webhook's client: %w", err)
		}
		if _, err := mgr.GetCache().GetInformer(context.Background(), &corev1.Node{}); err != nil {
			return fmt.Errorf("watching nodes: %w", err)
		}
	}
	events := mgr.GetEventRecorder("odi-webhook")
	server := webhook.NewServer(webhook.Options{Port: opts.Port, TLSOpts: []func(*tls.Config){func(c *tls.Config) {
		c.GetCertificate, c.MinVersion, c.NextProtos = around.certificate, tls.VersionTLS13, []string{"http/1.1"}
	}}})
	server.Register(webhookPath, &Webhook{
		finder: finder{mgr.GetCache()}, claim: claimer{direct, time.Now}.claim, surroundings: around.now,
		say: func(iw *odiv1.InstrumentedWorkload, reason, message string) {
			events.Eventf(kube.WorkloadReference(iw), iw, corev1.EventTypeWarning, reason, "Inject", "%s", message)
		},
		config: cfg, metrics: counters, logger: around.logger,
	})
	if err := errors.Join(mgr.Add(server), mgr.Add(around)); err != nil {
		return fmt.Errorf("adding the webhook: %w", err)
	}
	return nil
}

// around is what the cluster has for the agents, looked at again and again.
type around struct {
	cache     client.Reader
	direct    client.Reader
	discovery discovery.DiscoveryInterface // nil unless the delivery is chosen
	config    kube.Config
	wanted    Delivery
	logger    logr.Logger

	found atomic.Pointer[found]
	pair  atomic.Pointer[tls.Certificate]
}

type found struct {
	endpoint Endpoint
	delivery Delivery
}

// NeedLeaderElection says no: every replica answers.
func (*around) NeedLeaderElection() bool { return false }

// Start looks until the context ends.
func (a *around) Start(ctx context.Context) error {
	for {
		a.look(ctx)
		wait := lookEvery
		if a.pair.Load() == nil {
			wait = lookAtFirst
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (a *around) now() (Endpoint, Delivery) {
	if f := a.found.Load(); f != nil {
		return f.endpoint, f.delivery
	}
	return EndpointIn(a.config.Namespace, ""), InitContainer
}

func (a *around) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if pair := a.pair.Load(); pair != nil {
		return pair, nil
	}
	return nil, errors.New("the webhook has no certificate yet")
}

// look keeps what it knew of what it cannot read.
func (a *around) look(ctx context.Context) {
	const within = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := a.lookAtCertificate(ctx); client.IgnoreNotFound(err) != nil && ctx.Err() == nil {
		a.logger.Error(err, "reading the webhook's certificate")
	}
	var service corev1.Service
	err := a.direct.Get(ctx, types.NamespacedName{Namespace: a.config.Namespace, Name: "odi-agents"}, &service)
	if client.IgnoreNotFound(err) != nil {
		return
	}
	address := service.Spec.ClusterIP
	if address == corev1.ClusterIPNone {
		address = ""
	}
	a.found.Store(&found{EndpointIn(a.config.Namespace, address), a.delivery(ctx)})
}

func (a *around) lookAtCertificate(ctx context.Context) error {
	var secret corev1.Secret
	if err := a.direct.Get(ctx, types.NamespacedName{Namespace: a.config.Namespace, Name: SecretName}, &secret); err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(secret.Data["server.crt"], secret.Data["server.key"])
	if err != nil {
		return fmt.Errorf("reading the Secret %s: %w", SecretName, err)
	}
	a.pair.Store(&pair)
	return nil
}

// delivery is the wanted one, or the better one that the cluster is known to take.
func (a *around) delivery(ctx context.Context) Delivery {
	if a.wanted != DeliveryAuto {
		return a.wanted
	}
	server, err := a.discovery.ServerVersion()
	if err != nil {
		return InitContainer
	}
	var nodes corev1.NodeList
	if err := a.cache.List(ctx, &nodes, client.UnsafeDisableDeepCopy); err != nil {
		return InitContainer
	}
	return deliveryFor(server.GitVersion, nodes.Items)
}
