package controllers

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/controllers/certificates"
	"github.com/odi-dev/odi/controllers/destination"
	"github.com/odi-dev/odi/controllers/pipeline"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
)

// TestDestinationsStory tells how Destinations reach a real collector, and how
// their status follows a backend that dies and comes back.
func TestDestinationsStory(t *testing.T) {
	v := collectorconfig.Validator{Binary: odicollector.Binary(t)}
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.Namespace(t, c, "odi-system")
	manager := testkit.Deployment("odi-system", "odi-manager", "manager")
	testkit.Create(t, c, manager)
	k := newKubelet(t, c)
	testkit.RunManager(t, restConfig, storyConfig(),
		destinationsWith(destination.Options{Validator: v, Metrics: k.metrics}), pipelineWith(v), certificates.Setup)

	t.Log("The gateway is there before any Destination, and belongs to the manager.")
	gateway := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-gateway"}}
	testkit.EventuallyObject(t, c, gateway, "the gateway's configuration is there", func(m *corev1.ConfigMap) bool {
		return len(m.OwnerReferences) == 1 && m.OwnerReferences[0].UID == manager.UID
	})
	nodes := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-node-collector"}}
	testkit.EventuallyObject(t, c, nodes, "the nodes know the gateway", func(m *corev1.ConfigMap) bool {
		return strings.Contains(m.Data["config.yaml"], "odi-gateway.odi-system:4317")
	})
	k.start(t)

	t.Log("Two of one type have each its own secret; one of a wrong type hurts nobody.")
	alive, mortal := newBackend(t), newBackend(t)
	alive.start(t)
	mortal.start(t)
	one, two := otlp("one", alive, "key-of-one"), otlp("two", mortal, "key-of-two")
	wrong := otlp("wrong", alive, "")
	wrong.Spec.Config["endpoint"] = "http://host:port"
	testkit.Create(t, c, secretOf("key-of-one", "Bearer one\n"), secretOf("key-of-two", "Bearer two"), one, two, wrong)
	wantCondition(t, c, one, want{odiv1.ConditionExporting, metav1.ConditionTrue}, "The backend answers; no data has come yet.")
	wantCondition(t, c, two, want{odiv1.ConditionReady, metav1.ConditionTrue}, "Takes traces, metrics, logs of all namespaces to http://"+mortal.address)
	wantCondition(t, c, wrong, want{odiv1.ConditionReady, metav1.ConditionFalse}, `endpoint: "http://host:port" is not valid`)
	wantCondition(t, c, wrong, want{odiv1.ConditionReady, metav1.ConditionFalse}, `invalid port ":port"`)
	testkit.WantEvent(t, c, wrong, odiv1.ReasonInvalidConfig)
	testkit.WantEvent(t, c, manager, "GatewayConfigured")
	k.send(t, 3)
	testkit.Eventually(t, 15*time.Second, "both get the data with their own key", func() bool {
		return alive.got() == 300 && mortal.got() == 300 && alive.lastKey() == "Bearer one" && mortal.lastKey() == "Bearer two"
	})
	k.wantNoSecretInConfig(t)

	t.Log("A backend dies: within 30 s its Destination says why; the other goes on.")
	mortal.stop()
	k.send(t, 2)
	wantCondition(t, c, two, want{odiv1.ConditionExporting, metav1.ConditionFalse}, "connection refused")
	testkit.WantEvent(t, c, two, odiv1.ReasonExportFailing)
	wantCondition(t, c, one, want{odiv1.ConditionExporting, metav1.ConditionTrue}, "The backend takes the data.")

	t.Log("A rotated secret is used within 30 s, without a new pod.")
	rotated := secretOf("key-of-one", "Bearer rotated")
	if err := c.Update(t.Context(), rotated); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, "the new key arrives", func() bool { return alive.lastKey() == "Bearer rotated" })

	t.Log("The backend is back: nothing is lost, also over the reload that the secret made.")
	mortal.start(t)
	wantCondition(t, c, two, want{odiv1.ConditionExporting, metav1.ConditionTrue}, "The backend takes the data.")
	testkit.Eventually(t, 20*time.Second, "all spans are there", func() bool { return mortal.got() >= 500 })
	if mortal.got() != 500 {
		t.Errorf("the backend has %d spans, want 500", mortal.got())
	}
	testkit.Eventually(t, 20*time.Second, "the status counts them", func() bool {
		return c.Get(t.Context(), client.ObjectKeyFromObject(two), two) == nil && two.Status.Sent == 500
	})
	if !strings.Contains(two.Status.LastError, "connection refused") {
		t.Errorf("the last error is %q, want the cause", two.Status.LastError)
	}

	t.Log("A deleted Destination gets nothing more.")
	if err := c.Delete(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 15*time.Second, "its lane is gone", func() bool { return !strings.Contains(k.config(), "odi-system/two") })
	if alive.got() != 500 {
		t.Errorf("the other backend has %d spans, want 500", alive.got())
	}

	t.Log("The gateway is gone: within 30 s nobody says any more that the backend takes data.")
	wantCondition(t, c, one, want{odiv1.ConditionExporting, metav1.ConditionTrue}, "")
	if err := k.gateway.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wantCondition(t, c, one, want{odiv1.ConditionExporting, metav1.ConditionUnknown}, "No pod of the gateway answers")
}

// besides is where a story's backends are, which is no place for one in a cluster.
const besides = "127.0.0.1/32"

// storyConfig is that of a manager whose backends are beside it.
func storyConfig() kube.Config {
	return kube.Config{
		Namespace: "odi-system", ManagerName: "odi-manager",
		AllowAddresses: []netip.Prefix{netip.MustParsePrefix(besides)},
	}
}

func destinationsWith(opts destination.Options) func(manager.Manager, kube.Config) error {
	return func(mgr manager.Manager, cfg kube.Config) error { return destination.SetupWith(mgr, cfg, opts) }
}

func pipelineWith(v collectorconfig.Validator) func(manager.Manager, kube.Config) error {
	return func(mgr manager.Manager, cfg kube.Config) error { return pipeline.SetupWith(mgr, cfg, v) }
}

func otlp(name string, b *backend, secret string) *odiv1.Destination {
	d := &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: name},
		Spec:       odiv1.DestinationSpec{Type: "otlp", Config: map[string]string{"endpoint": "http://" + b.address}},
	}
	if secret != "" {
		d.Spec.SecretRef = &odiv1.SecretReference{Name: secret}
	}
	return d
}

func secretOf(name, value string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: name, Labels: map[string]string{odiv1.LabelUsableBy: odiv1.UsableByDestinations}},
		Data:       map[string][]byte{"header_value": []byte(value)},
	}
}

type want struct {
	kind   string
	status metav1.ConditionStatus
}

// wantCondition waits for 30 s, which is what odi promises.
func wantCondition(t *testing.T, c client.Client, d *odiv1.Destination, w want, words string) {
	t.Helper()
	begin := time.Now()
	testkit.Eventually(t, 30*time.Second, d.Name+": "+w.kind+" is "+string(w.status)+" with: "+words, func() bool {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
			return false
		}
		condition := meta.FindStatusCondition(d.Status.Conditions, w.kind)
		return condition != nil && condition.Status == w.status && strings.Contains(condition.Message, words)
	})
	t.Logf("%s: %s is %s after %s", d.Name, w.kind, w.status, time.Since(begin).Round(100*time.Millisecond))
}
