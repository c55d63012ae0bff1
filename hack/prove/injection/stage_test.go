package injection

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/controllers/certificates"
	"github.com/odi-dev/odi/controllers/namespaces"
	"github.com/odi-dev/odi/instrumentor"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/languages"
)

// Namespaces of the stage: one with the webhook and one without, equal otherwise.
const (
	asked = "asked"
	plain = "plain"
)

// stage is an API server that asks a manager with no right but its role's.
type stage struct {
	admin *rest.Config
	c     client.Client
	port  int
	set   *appsv1.ReplicaSet
	iw    *odiv1.InstrumentedWorkload
}

func newStage(t *testing.T, delivery instrumentor.Delivery) *stage {
	t.Helper()
	s := &stage{admin: testkit.APIServer(t), port: freePort(t)}
	s.c = testkit.Client(t, s.admin)
	for _, name := range []string{"odi-system", asked, plain} {
		testkit.Namespace(t, s.c, name)
		testkit.Create(t, s.c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "default"}})
	}
	bindRole(t, s.c)
	s.configure(t)
	s.runManager(t, s.port, delivery)
	s.workload(t, asked)
	testkit.Eventually(t, 20*time.Second, "the API server asks the webhook", func() bool {
		pod := s.pod("probe")
		err := s.c.Create(t.Context(), pod, client.DryRunAll)
		return err == nil && pod.Annotations[odiv1.AnnotationAgents] != ""
	})
	return s
}

// configure is what the chart does; the Service leads to this machine.
func (s *stage) configure(t *testing.T) {
	t.Helper()
	content, err := os.ReadFile("../../../charts/odi/templates/manager/webhook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	text = text[strings.Index(text, "apiVersion: admissionregistration"):]
	text = strings.TrimSuffix(strings.TrimSpace(text), "{{- end }}")
	text = strings.ReplaceAll(text, "{{ .Release.Namespace }}", "odi-system")
	text = strings.ReplaceAll(text, "    {{- include \"odi.labels\" . | nindent 4 }}\n", "")
	var hook admissionregistrationv1.MutatingWebhookConfiguration
	if err := yaml.UnmarshalStrict([]byte(text), &hook); err != nil {
		t.Fatalf("reading the chart's webhook: %v\n%s", err, text)
	}
	testkit.Create(t, s.c, &hook, serviceTo(s.port, "odi-webhook"),
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-agents"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 4318}}},
		})
}

func serviceTo(port int, name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: name},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost",
			Ports: []corev1.ServicePort{{Port: int32(port)}}},
	}
}

func (s *stage) runManager(t *testing.T, port int, delivery instrumentor.Delivery) {
	t.Helper()
	as := rest.CopyConfig(s.admin)
	as.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:odi-system:odi-manager",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:odi-system", "system:authenticated"},
	}
	// The chart's port is the Service's; here there is nothing between.
	hook := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "odi-pods"}}
	if err := s.c.Patch(t.Context(), hook, client.RawPatch("application/json-patch+json",
		[]byte(`[{"op":"replace","path":"/webhooks/0/clientConfig/service/port","value":`+itoa(s.port)+`}]`))); err != nil {
		t.Fatal(err)
	}
	testkit.RunManager(t, as, kube.Config{Namespace: "odi-system", WebhookName: "odi-pods"},
		certificates.Setup, namespaces.Setup, func(mgr manager.Manager, cfg kube.Config) error {
			return instrumentor.Setup(mgr, cfg, instrumentor.Options{Port: port, Delivery: delivery})
		})
}

// workload is one whose every container of a known name gets an agent.
func (s *stage) workload(t *testing.T, namespace string) {
	t.Helper()
	cart := testkit.Deployment(namespace, "cart", "app")
	testkit.Create(t, s.c, cart)
	s.set = &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cart-5d9c",
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "cart", UID: cart.UID, Controller: new(true)}}}}
	s.set.Spec = appsv1.ReplicaSetSpec{Selector: cart.Spec.Selector, Template: cart.Spec.Template}
	s.iw = testkit.Selected(cart, "all")
	for name, language := range agents {
		s.iw.Spec.Containers = append(s.iw.Spec.Containers, odiv1.ContainerDecision{
			Name: name, Method: odiv1.MethodAgent, Reason: "Agent", Agent: odiv1.AgentReference{
				Language: language, Version: "1.0.0-odi.1", Image: instrumentor.Image("registry.test", language, "1.0.0-odi.1"),
			},
		})
	}
	s.iw.Spec.Rollout = &odiv1.RolloutPlan{Revision: languages.Revision(s.iw.Spec.Containers), Stage: odiv1.RolloutStageAll}
	testkit.Create(t, s.c, s.set, s.iw)
	for name := range agents {
		s.iw.Status.Containers = append(s.iw.Status.Containers, odiv1.ContainerStatus{
			Name: name, Runtime: odiv1.Runtime{Version: "17.0.1", Libc: "glibc"}, Start: odiv1.StartFacts{Environment: hidden[name]},
		})
	}
	if err := s.c.Status().Update(t.Context(), s.iw); err != nil {
		t.Fatal(err)
	}
}

// agents by name of container; hidden are variables that their images set.
var (
	agents = map[string]string{"app": "java", "web": "nodejs", "worker": "python", "api": "dotnet", "sidecar": "python"}
	hidden = map[string][]string{"worker": {"OTEL_PROPAGATORS"}, "app": {"PATH"}}
)

// pod is one of the workload.
func (s *stage) pod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: asked, Name: name, OwnerReferences: s.owner()},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "example.test/app"}}},
	}
}

func (s *stage) owner() []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: s.set.Name, UID: s.set.UID, Controller: new(true)}}
}

func bindRole(t *testing.T, c client.Client) {
	t.Helper()
	content, err := os.ReadFile("../../../config/rbac/manager.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range bytes.Split(content, []byte("\n---\n")) {
		role := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, role); err != nil || role.GetKind() == "" {
			t.Fatalf("reading the roles: %v", err)
		}
		testkit.Create(t, c, role)
	}
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "odi-manager", Namespace: "odi-system"}}
	testkit.Create(t, c,
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "odi-manager"}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "odi-manager"}},
		&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "odi-manager", Namespace: "odi-system"}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "odi-manager"}})
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := strconv.Atoi(loopback.Port(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}
