package requests

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/kubelet"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
)

// TestARequestIsAnswered goes the whole way: an annotation, the manager, the API server's exec, the
// collector in the gateway's pod, a backend, and the status.
func TestARequestIsAnswered(t *testing.T) {
	binary, dir := odicollector.Binary(t), t.TempDir()
	admin := testkit.APIServer(t)
	c := testkit.Client(t, admin)
	testkit.Namespace(t, c, "odi-system")
	var refuses atomic.Bool
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refuses.Load() {
			http.Error(w, "hunter2 is no key", http.StatusUnauthorized)
		}
	}))
	t.Cleanup(backend.Close)
	testkit.RunManager(t, admin, kube.Config{Namespace: "odi-system"}, Setup)

	good, bad := made(t, c, "good", backend.URL), made(t, c, "bad", backend.URL)
	request(t, c, good, "1")
	wantAnswer(t, c, good, "1", metav1.Condition{Status: metav1.ConditionUnknown, Reason: odiv1.ReasonTestNotSent, Message: "nothing was sent: no pod of the gateway is ready"})

	node := kubelet.New(t, c, "ODI_CREDENTIALS_DIR="+dir, "ODI_ALLOW_ADDRESSES=127.0.0.1/32")
	gatewayFiles(t, dir, good, bad)
	gatewayOf(t, c, node.Name, binary, "--config=live:"+filepath.Join(dir, "config.yaml"))
	refuses.Store(true)
	request(t, c, bad, "2026-11-27T01:00:00Z")
	wantAnswer(t, c, bad, "2026-11-27T01:00:00Z", metav1.Condition{Status: metav1.ConditionFalse, Reason: odiv1.ReasonTestRefused, Message: "traces: HTTP: it refuses the credentials (401); metrics: HTTP:"})
	if text, _ := json.Marshal(bad.Status); strings.Contains(string(text), "hunter2") {
		t.Errorf("the backend's words are in the status: %s", text)
	}

	// The first one is less than a minute ago; a third is answered at once by nobody.
	refuses.Store(false)
	request(t, c, good, "2")
	third := made(t, c, "third", backend.URL)
	gatewayFiles(t, dir, good, bad, third)
	request(t, c, third, "1")
	wantAnswer(t, c, third, "1", metav1.Condition{Status: metav1.ConditionTrue, Reason: odiv1.ReasonTestAccepted, Message: "traces: accepted; metrics: accepted; logs: accepted."})
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(good), good); err != nil || good.Status.TestRequest.Value != "1" {
		t.Errorf("%v: it was tested twice within a minute: %+v", err, good.Status.TestRequest)
	}
}

// made is a Destination that the manager has judged.
func made(t *testing.T, c client.Client, name, url string) *odiv1.Destination {
	t.Helper()
	d := &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: name},
		Spec:       odiv1.DestinationSpec{Type: "otlphttp", Config: map[string]string{"endpoint": url}},
	}
	testkit.Create(t, c, d)
	meta.SetStatusCondition(&d.Status.Conditions, metav1.Condition{Type: odiv1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Because", ObservedGeneration: d.Generation})
	if err := c.Status().Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// request asks as `kubectl annotate` does.
func request(t *testing.T, c client.Client, d *odiv1.Destination, value string) {
	t.Helper()
	patch := `{"metadata":{"annotations":{"` + odiv1.AnnotationTestRequestedAt + `":"` + value + `"}}}`
	if err := c.Patch(t.Context(), d, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		t.Fatal(err)
	}
}

// wantAnswer waits for the answer to a request; want is a part of the condition's message.
func wantAnswer(t *testing.T, c client.Client, d *odiv1.Destination, request string, want metav1.Condition) {
	t.Helper()
	testkit.EventuallyObject(t, c, d, "request "+request+" for "+d.Name+" is answered", func(d *odiv1.Destination) bool {
		return d.Status.TestRequest != nil && d.Status.TestRequest.Value == request
	})
	got := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionTested)
	if got == nil || got.Status != want.Status || got.Reason != want.Reason || !strings.Contains(got.Message, want.Message) || got.ObservedGeneration != d.Generation {
		t.Errorf("the condition is %+v", got)
	}
}

// gatewayOf is a pod in which programs really start.
func gatewayOf(t *testing.T, c client.Client, node, binary, config string) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-gateway-1", Labels: map[string]string{"app.kubernetes.io/name": "odi-gateway"}},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{
			Name: "collector", Image: "example.test/collector", Command: []string{binary}, Args: []string{config},
		}}},
	}
	testkit.Create(t, c, pod)
	pod.Status.Phase, pod.Status.Conditions = corev1.PodRunning, []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if err := c.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
}

// gatewayFiles are what the manager and a kubelet bring to the gateway.
func gatewayFiles(t *testing.T, dir string, from ...*odiv1.Destination) {
	t.Helper()
	var lanes []collectorconfig.Lane
	for _, d := range from {
		lane, err := collectorconfig.LaneOf(d, "odi-system", nil)
		if err != nil {
			t.Fatal(err)
		}
		lanes = append(lanes, lane)
	}
	config, err := collectorconfig.Gateway(lanes)
	if err != nil {
		t.Fatal(err)
	}
	text, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"config.yaml": text, "clients.crt": "the gateway's own"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
