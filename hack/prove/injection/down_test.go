package injection

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestPodsAreMadeWithoutAWebhook: one that is down, hangs or talks nonsense costs a pod 2.2 s at most and never
// its being made. A patch that does not apply is another matter: Kubernetes refuses the pod, which is why the
// webhook applies its own before it answers.
func TestPodsAreMadeWithoutAWebhook(t *testing.T) {
	restConfig := testkit.APIServer(t)
	restConfig.QPS = -1 // What is measured is the API server's time.
	c := testkit.Client(t, restConfig)
	testkit.Namespace(t, c, plain)
	testkit.Create(t, c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: plain, Name: "default"}})
	answer := func(w http.ResponseWriter, r *http.Request, response *admissionv1.AdmissionResponse) {
		var review admissionv1.AdmissionReview
		_ = json.NewDecoder(r.Body).Decode(&review)
		if review.Request != nil && response != nil {
			response.UID = review.Request.UID
		}
		_ = json.NewEncoder(w).Encode(admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: response})
	}
	kind := admissionv1.PatchTypeJSONPatch
	var gone chan struct{}
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		closed  bool
		refused bool
	}{
		"down":        {closed: true},
		"an error":    {handler: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }},
		"garbage":     {handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "\x00garbage{") }},
		"nothing":     {handler: func(http.ResponseWriter, *http.Request) {}},
		"no response": {handler: func(w http.ResponseWriter, r *http.Request) { answer(w, r, nil) }},
		"hangs":       {handler: func(_ http.ResponseWriter, r *http.Request) { hang(r, gone) }},
		"a slow answer": {handler: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			hang(r, gone)
		}},
		"no patch at all": {handler: func(w http.ResponseWriter, r *http.Request) {
			answer(w, r, &admissionv1.AdmissionResponse{Allowed: true, PatchType: &kind, Patch: []byte("{")})
		}},
		"a patch that does not apply": {handler: func(w http.ResponseWriter, r *http.Request) {
			answer(w, r, &admissionv1.AdmissionResponse{Allowed: true, PatchType: &kind, Patch: []byte(`[{"op":"remove","path":"/spec/nothing"}]`)})
		}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			gone = make(chan struct{})
			release := sync.OnceFunc(func() { close(gone) })
			var calls atomic.Int64
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				tc.handler(w, r)
			}))
			if tc.closed {
				server.Close()
			} else {
				defer server.Close()
				defer server.CloseClientConnections()
				defer release()
			}
			hook := webhookAt(server)
			testkit.Create(t, c, hook)
			defer func() { _ = c.Delete(t.Context(), hook) }()
			if !tc.closed {
				testkit.Eventually(t, 30*time.Second, "the webhook is asked", func() bool {
					pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: plain, Name: "first"},
						Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "a"}}}}
					_ = c.Create(t.Context(), pod, client.DryRunAll) // Only that it asks matters.
					return calls.Load() > 0
				})
				calls.Store(0)
			}
			took, refusals := createMany(t, c)
			slowest := took[len(took)-1]
			t.Logf("%d of %d refused, p50 %s, p99 %s, slowest %s", refusals, len(took), took[len(took)/2].Round(time.Millisecond),
				took[len(took)*99/100-1].Round(time.Millisecond), slowest.Round(time.Millisecond))
			if !tc.refused && refusals > 0 || slowest > 2200*time.Millisecond {
				t.Errorf("%d pods were refused, the slowest took %s", refusals, slowest)
			}
			if !tc.closed && calls.Load() < int64(len(took)) {
				t.Errorf("the webhook was called %d times for %d pods", calls.Load(), len(took))
			}
			if tc.refused && refusals == 0 {
				t.Error("Kubernetes takes patches that do not apply now: the webhook need not try its own any more")
			}
		})
	}
}

// createMany tries as many pods as a 99th percentile needs, some at a time, and says how long each took, sorted,
// and how many were refused.
func createMany(t *testing.T, c client.Client) (took []time.Duration, refusals int) {
	t.Helper()
	const creates, atOnce = 200, 5
	var mu sync.Mutex
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for range creates / atOnce {
				pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: plain, GenerateName: "p-"},
					Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "a"}}}}
				start := time.Now()
				err := c.Create(t.Context(), pod, client.DryRunAll)
				mu.Lock()
				took = append(took, time.Since(start))
				if err != nil {
					refusals++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took, refusals
}

func hang(r *http.Request, until chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-until:
	}
}

// webhookAt is the chart's configuration for a server of the test's own.
func webhookAt(server *httptest.Server) *admissionregistrationv1.MutatingWebhookConfiguration {
	ignore, none, once := admissionregistrationv1.Ignore, admissionregistrationv1.SideEffectClassNoneOnDryRun, admissionregistrationv1.NeverReinvocationPolicy
	url := server.URL + "/inject"
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "pods.test.dev", AdmissionReviewVersions: []string{"v1"}, FailurePolicy: &ignore, SideEffects: &none,
			ReinvocationPolicy: &once, TimeoutSeconds: new(int32(2)),
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				URL: &url, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
		}},
	}
}
