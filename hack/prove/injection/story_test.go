package injection

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/instrumentor"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/languages"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestStages: the webhook obeys the plan. A canary slot has one pod whatever the number of managers, pods that
// come at once, and dry-runs; who has it carries the claim's request.
func TestStages(t *testing.T) {
	s := newStage(t, instrumentor.InitContainer)
	second := freePort(t)
	s.runManager(t, second, instrumentor.InitContainer)
	ask := s.asker(t)
	testkit.Eventually(t, 20*time.Second, "the second manager answers", func() bool {
		answer, err := ask(second, "warm-up", true)
		return err == nil && len(answer.Patch) > 0
	})

	t.Log("None: pods are as their templates say.")
	s.plan(t, odiv1.RolloutPlan{Stage: odiv1.RolloutStageNone})
	s.eventuallyPatched(t, ask, second, false)

	t.Log("Of other agents than were decided last: nobody has tried these yet.")
	s.plan(t, odiv1.RolloutPlan{Revision: "older", Stage: odiv1.RolloutStageAll})
	time.Sleep(time.Second)
	s.eventuallyPatched(t, ask, second, false)

	for slot := int64(1); slot <= 5; slot++ {
		s.plan(t, odiv1.RolloutPlan{Stage: odiv1.RolloutStageCanary, Slot: slot})
		s.contest(t, ask, []int{s.port, second}, slot)
	}

	t.Log("All: every pod.")
	s.plan(t, odiv1.RolloutPlan{Stage: odiv1.RolloutStageAll, Slot: 5})
	s.eventuallyPatched(t, ask, second, true)
	pod := s.pod("whole")
	testkit.Eventually(t, 5*time.Second, "a pod of the stage All has its agent", func() bool {
		created := pod.DeepCopy()
		err := s.c.Create(t.Context(), created, client.DryRunAll)
		return err == nil && created.Annotations[odiv1.AnnotationAgents] == "app=java@1.0.0-odi.1"
	})
}

// contest lets many pods and dry-runs ask both managers at once for one slot.
func (s *stage) contest(t *testing.T, ask asker, ports []int, slot int64) {
	t.Helper()
	const contenders = 40
	var mu sync.Mutex
	var winners []string
	var all sync.WaitGroup
	for i := range contenders {
		all.Go(func() {
			uid := fmt.Sprintf("request-%d-%d", slot, i)
			dry := i%4 == 0
			deadline := time.Now().Add(3 * time.Second)
			for time.Now().Before(deadline) { // Until the managers know of the plan and somebody has the slot.
				answer, err := ask(ports[i%len(ports)], uid, dry)
				if err != nil || !answer.Allowed {
					t.Errorf("%s was refused: %v", uid, err)
					return
				}
				if len(answer.Patch) > 0 {
					mu.Lock()
					winners = append(winners, uid)
					mu.Unlock()
					if dry {
						t.Errorf("the dry-run %s got the slot", uid)
					}
					if !strings.Contains(string(answer.Patch), uid) {
						t.Errorf("the pod of %s does not carry it", uid)
					}
					return
				}
				mu.Lock()
				over := len(winners) > 0
				mu.Unlock()
				if over {
					return
				}
			}
		})
	}
	all.Wait()
	if err := s.c.Get(t.Context(), client.ObjectKeyFromObject(s.iw), s.iw); err != nil {
		t.Fatal(err)
	}
	claim := s.iw.Status.Canary
	if len(winners) != 1 || claim == nil || claim.Request != winners[0] || claim.Slot != slot || claim.Revision != languages.Revision(s.iw.Spec.Containers) {
		t.Fatalf("slot %d: %v have it, and the claim is %+v", slot, winners, claim)
	}
}

// plan writes the plan of the rollout, of the decided agents unless it names others.
func (s *stage) plan(t *testing.T, plan odiv1.RolloutPlan) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"spec": map[string]any{"rollout": map[string]any{
		"revision": cmp.Or(plan.Revision, languages.Revision(s.iw.Spec.Containers)), "stage": plan.Stage, "slot": plan.Slot,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.c.Patch(t.Context(), s.iw, client.RawPatch(types.MergePatchType, text)); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) eventuallyPatched(t *testing.T, ask asker, port int, want bool) {
	t.Helper()
	testkit.Eventually(t, 5*time.Second, fmt.Sprintf("pods are changed: %v", want), func() bool {
		answer, err := ask(port, "look", true)
		return err == nil && answer.Allowed && len(answer.Patch) > 0 == want
	})
}

// asker asks a manager about a pod as the API server does: by the name and the authority of the configuration.
type asker func(port int, uid string, dry bool) (*admissionv1.AdmissionResponse, error)

func (s *stage) asker(t *testing.T) asker {
	t.Helper()
	hook := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "odi-pods"}}
	if err := s.c.Get(t.Context(), client.ObjectKeyFromObject(hook), hook); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(hook.Webhooks[0].ClientConfig.CABundle) {
		t.Fatal("the configuration has no authority")
	}
	c := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 64,
		TLSClientConfig:     &tls.Config{RootCAs: roots, ServerName: "odi-webhook.odi-system.svc", MinVersion: tls.VersionTLS13},
	}}
	pod, err := json.Marshal(s.pod("x"))
	if err != nil {
		t.Fatal(err)
	}
	return func(port int, uid string, dry bool) (*admissionv1.AdmissionResponse, error) {
		body, err := json.Marshal(admissionv1.AdmissionReview{
			TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
			Request: &admissionv1.AdmissionRequest{
				UID: types.UID(uid), Namespace: asked, Operation: admissionv1.Create, DryRun: &dry,
				Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"}, Object: runtime.RawExtension{Raw: pod},
			},
		})
		if err != nil {
			return nil, err
		}
		answer, err := c.Post("https://127.0.0.1:"+itoa(port)+"/inject", "application/json", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(answer.Body).Decode(&review); err != nil {
			return nil, err
		}
		return review.Response, nil
	}
}

// TestRestrictedNamespacesTakeBothDeliveries: what is added satisfies the Pod Security level restricted, the
// namespace's bounds on containers, and changes no quality of service.
func TestRestrictedNamespacesTakeBothDeliveries(t *testing.T) {
	for _, delivery := range []instrumentor.Delivery{instrumentor.InitContainer, instrumentor.ImageVolume} {
		t.Run(string(delivery), func(t *testing.T) {
			s := newStage(t, delivery)
			s.restrict(t)
			for name, change := range map[string]func(*corev1.Pod){
				"numeric user":                  func(p *corev1.Pod) { p.Spec.SecurityContext.RunAsUser = new(int64(1000)) },
				"user of the image":             func(*corev1.Pod) {},
				"read-only":                     func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem = new(true) },
				"shared processes":              func(p *corev1.Pod) { p.Spec.ShareProcessNamespace = new(true) },
				"guaranteed":                    func(p *corev1.Pod) { p.Spec.Containers[0].Resources = equalResources("500m", "256Mi") },
				"burstable":                     func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests = equalResources("200m", "64Mi").Requests },
				"a user of its own":             func(p *corev1.Pod) { p.Spec.HostUsers = new(false) },
				"another service account token": func(p *corev1.Pod) { p.Spec.AutomountServiceAccountToken = new(true) },
			} {
				pod := s.pod("restricted")
				pod.Spec.SecurityContext = &corev1.PodSecurityContext{
					RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				}
				pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				}
				change(pod)
				class := qualityOf(pod)
				if err := s.c.Create(t.Context(), pod, client.DryRunAll); err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if pod.Annotations[odiv1.AnnotationAgents] == "" {
					t.Errorf("%s got no agent", name)
				}
				byImage := delivery == instrumentor.ImageVolume && pod.Spec.HostUsers == nil
				if (len(pod.Spec.InitContainers) == 0) != byImage {
					t.Errorf("%s: %d init containers", name, len(pod.Spec.InitContainers))
				}
				if after := pod.Status.QOSClass; class != "" && after != class {
					t.Errorf("%s was %s and is %s", name, class, after)
				}
			}
			privileged := s.pod("privileged")
			if err := s.c.Create(t.Context(), privileged, client.DryRunAll); err == nil {
				t.Error("the namespace does not enforce restricted")
			}
		})
	}
}
