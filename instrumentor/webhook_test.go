package instrumentor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/languages"
)

// cacheFunc is a cache whose every read is one function.
type cacheFunc func(ctx context.Context, key client.ObjectKey, obj client.Object) error

func (f cacheFunc) Get(ctx context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	return f(ctx, key, obj)
}

func (cacheFunc) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("not asked")
}

func decided(_ context.Context, _ client.ObjectKey, obj client.Object) error {
	iw, ok := obj.(*odiv1.InstrumentedWorkload)
	if !ok {
		return errors.New("not there")
	}
	iw.Namespace, iw.Spec.Workload = "shop", odiv1.WorkloadReference{Kind: odiv1.KindStatefulSet, Name: "db"}
	iw.Spec.Containers = []odiv1.ContainerDecision{{Name: "app", Method: odiv1.MethodAgent, Agent: odiv1.AgentReference{Language: "java", Version: "1", Image: "a"}}}
	iw.Spec.Rollout = &odiv1.RolloutPlan{Revision: languages.Revision(iw.Spec.Containers), Stage: odiv1.RolloutStageCanary, Slot: 3}
	return nil
}

// TestTheWebhookNeverRefuses: whatever goes wrong, the answer is yes, without a patch, and the reason is counted.
func TestTheWebhookNeverRefuses(t *testing.T) {
	pod := `{"metadata":{"name":"db-0","ownerReferences":[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"db","uid":"u","controller":true}]},
		"spec":{"containers":[{"name":"app"}]}}`
	for name, tc := range map[string]struct {
		pod, namespace string
		cache          cacheFunc
		claim          error
		dry            bool
		want           string
	}{
		"all is well":                {cache: decided, want: reasonInjected},
		"the slot is lost":           {cache: decided, claim: errors.New("taken"), want: reasonClaimLost},
		"a dry-run takes no slot":    {cache: decided, dry: true, want: reasonDryRun},
		"the cache fails":            {cache: func(context.Context, client.ObjectKey, client.Object) error { return errors.New("no") }, want: reasonFault},
		"a panic":                    {cache: func(context.Context, client.ObjectKey, client.Object) error { panic("no") }, want: reasonFault},
		"the cache says nothing":     {cache: waits, want: reasonLate},
		"no pod":                     {cache: decided, pod: `[]`, want: reasonFault},
		"a namespace that is closed": {cache: decided, namespace: "kube-system", want: reasonExcluded},
		"a container too few":        {cache: decided, pod: strings.ReplaceAll(pod, `"name":"app"`, `"name":"x"`), want: SkipNoContainer},
	} {
		t.Run(name, func(t *testing.T) {
			counters, err := newWebhookMetrics(prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			said, claims := 0, 0
			w := &Webhook{
				finder: finder{tc.cache}, config: kube.Config{Namespace: "odi-system"}, metrics: counters, logger: logr.Discard(),
				surroundings: func() (Endpoint, Delivery) { return EndpointIn("odi-system", ""), InitContainer },
				say:          func(*odiv1.InstrumentedWorkload, string, string) { said++ },
				claim: func(context.Context, *odiv1.InstrumentedWorkload, string) error {
					claims++
					return tc.claim
				},
			}
			if tc.pod == "" {
				tc.pod = pod
			}
			if tc.namespace == "" {
				tc.namespace = "shop"
			}
			start := time.Now()
			answer := asked(t, w, tc.pod, tc.namespace, tc.dry)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
			if !answer.Allowed || answer.UID != "uid" || (len(answer.Patch) > 0) != (tc.want == reasonInjected) {
				t.Errorf("the answer is %+v", answer)
			}
			var counted dto.Metric
			if err := counters.pods.WithLabelValues(tc.want).Write(&counted); err != nil || counted.GetCounter().GetValue() != 1 {
				t.Errorf("%s was counted %v times (%v)", tc.want, counted.GetCounter().GetValue(), err)
			}
			if (said > 0) != (tc.want == SkipNoContainer) {
				t.Errorf("the user was told %d things", said)
			}
			if (claims > 0) != (tc.want == reasonInjected || tc.want == reasonClaimLost) {
				t.Errorf("%d claims", claims)
			}
		})
	}
}

func waits(ctx context.Context, _ client.ObjectKey, _ client.Object) error {
	<-ctx.Done()
	return ctx.Err()
}

func asked(t *testing.T, w *Webhook, pod, namespace string, dry bool) *admissionv1.AdmissionResponse {
	t.Helper()
	body, err := json.Marshal(admissionv1.AdmissionReview{Request: &admissionv1.AdmissionRequest{
		UID: "uid", Namespace: namespace, Operation: admissionv1.Create, DryRun: &dry,
		Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"}, Object: runtime.RawExtension{Raw: []byte(pod)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	out := httptest.NewRecorder()
	w.ServeHTTP(out, httptest.NewRequest(http.MethodPost, webhookPath, strings.NewReader(string(body))))
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(out.Body.Bytes(), &review); err != nil || review.Response == nil {
		t.Fatalf("the answer is %d %q", out.Code, out.Body)
	}
	return review.Response
}

func TestGarbageIsNoReview(t *testing.T) {
	for _, body := range []string{"", "{", "{}", `{"request":null}`} {
		out := httptest.NewRecorder()
		(&Webhook{}).ServeHTTP(out, httptest.NewRequest(http.MethodPost, webhookPath, strings.NewReader(body)))
		if out.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", body, out.Code)
		}
	}
}

func TestDeliveryFor(t *testing.T) {
	node := func(kubelet, runtime string) corev1.Node {
		return corev1.Node{Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KubeletVersion: kubelet, ContainerRuntimeVersion: runtime}}}
	}
	windows := node("v1.30.0", "containerd://1.7.0")
	windows.Labels = map[string]string{corev1.LabelOSStable: "windows"}
	good := node("v1.36.3+k3s1", "containerd://2.1.4-k3s1")
	for name, tc := range map[string]struct {
		server string
		nodes  []corev1.Node
		want   Delivery
	}{
		"every node mounts images":    {"v1.36.3-gke.100", []corev1.Node{good, node("v1.37.0", "cri-o://1.34.0"), windows}, ImageVolume},
		"no node is known":            {"v1.36.3", nil, InitContainer},
		"the API server may drop it":  {"v1.35.9", []corev1.Node{good}, InitContainer},
		"one kubelet is older":        {"v1.36.3", []corev1.Node{good, node("v1.35.2", "containerd://2.1.4")}, InitContainer},
		"one runtime is older":        {"v1.36.3", []corev1.Node{good, node("v1.36.2", "containerd://2.0.5")}, InitContainer},
		"one runtime is unknown":      {"v1.36.3", []corev1.Node{good, node("v1.36.2", "docker://28.0.0")}, InitContainer},
		"a version that is no number": {"latest", []corev1.Node{good}, InitContainer},
	} {
		if got := deliveryFor(tc.server, tc.nodes); got != tc.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
