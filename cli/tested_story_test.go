package cli_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/kubelet"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/trial"
)

const seededKey = "hunter2-$`x`-4f6a2b91c3"

// gatewayHouse is an API server, a gateway's pod in which programs really start, and a backend.
type gatewayHouse struct {
	user
	c       client.Client
	server  *rest.Config
	dir     string // with the gateway's files
	backend *changingBackend
}

// changingBackend answers as it is told to.
type changingBackend struct {
	url string

	mu     sync.Mutex
	answer http.HandlerFunc
}

func (b *changingBackend) says(answer http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

// ServeHTTP implements http.Handler.
func (b *changingBackend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	answer := b.answer
	b.mu.Unlock()
	answer(w, r)
}

func newGatewayHouse(t *testing.T) gatewayHouse {
	t.Helper()
	binary := odicollector.Binary(t)
	h := gatewayHouse{user: user{t}, server: testkit.APIServer(t), dir: t.TempDir(), backend: &changingBackend{}}
	h.c = testkit.Client(t, h.server)
	t.Setenv("KUBECONFIG", kubeconfig(t, h.server, ""))
	server := httptest.NewServer(h.backend)
	t.Cleanup(server.Close)
	h.backend.url = server.URL
	h.backend.says(func(http.ResponseWriter, *http.Request) {})
	testkit.Namespace(t, h.c, "odi-system")
	node := kubelet.New(t, h.c, "ODI_CREDENTIALS_DIR="+h.dir, "ODI_ALLOW_ADDRESSES=127.0.0.1/32")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-gateway-1", Labels: map[string]string{"app.kubernetes.io/name": "odi-gateway"}},
		Spec: corev1.PodSpec{NodeName: node.Name, Containers: []corev1.Container{{
			Name: "collector", Image: "example.test/collector", Command: []string{binary}, Args: []string{"--config=live:" + filepath.Join(h.dir, "config.yaml")},
		}}},
	}
	testkit.Create(t, h.c, pod)
	h.gatewayIsReady(corev1.ConditionTrue)
	return h
}

func (h gatewayHouse) gatewayIsReady(status corev1.ConditionStatus) {
	h.t.Helper()
	var pod corev1.Pod
	if err := h.c.Get(h.t.Context(), client.ObjectKey{Namespace: "odi-system", Name: "odi-gateway-1"}, &pod); err != nil {
		h.t.Fatal(err)
	}
	pod.Status.Phase, pod.Status.Conditions = corev1.PodRunning, []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	if err := h.c.Status().Update(h.t.Context(), &pod); err != nil {
		h.t.Fatal(err)
	}
}

func (h gatewayHouse) destination() *odiv1.Destination {
	h.t.Helper()
	var d odiv1.Destination
	if err := h.c.Get(h.t.Context(), client.ObjectKey{Namespace: "odi-system", Name: "backend"}, &d); err != nil {
		h.t.Fatal(err)
	}
	return &d
}

// is says of the Destination what the manager would.
func (h gatewayHouse) is(ready metav1.ConditionStatus, message string) {
	h.t.Helper()
	d := h.destination()
	for _, kind := range []string{odiv1.ConditionReady, odiv1.ConditionExporting} {
		meta.SetStatusCondition(&d.Status.Conditions, metav1.Condition{Type: kind, Status: ready, Reason: "Because", Message: message, ObservedGeneration: d.Generation})
	}
	if err := h.c.Status().Update(h.t.Context(), d); err != nil {
		h.t.Fatal(err)
	}
}

// reaches brings the Destination to the gateway, as the manager and a kubelet do.
func (h gatewayHouse) reaches() {
	h.t.Helper()
	d := h.destination()
	lane, err := collectorconfig.LaneOf(d, "odi-system", map[string]string{"header_value": seededKey})
	if err != nil {
		h.t.Fatal(err)
	}
	config, err := collectorconfig.Gateway([]collectorconfig.Lane{lane})
	if err != nil {
		h.t.Fatal(err)
	}
	text, err := config.YAML()
	if err != nil {
		h.t.Fatal(err)
	}
	for name, content := range map[string]string{"config.yaml": text, "clients.crt": "the gateway's own", collectorconfig.CredentialKey(d, "header_value"): seededKey} {
		path := filepath.Join(h.dir, name)
		if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
			h.t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			h.t.Fatal(err)
		}
	}
}

// TestADestinationIsTested goes the whole way: the command line, the API server's exec, a process in
// the gateway's pod, the collector, a backend, and back.
func TestADestinationIsTested(t *testing.T) {
	h := newGatewayHouse(t)
	t.Setenv("KEY", seededKey)
	h.sees("destination add otlphttp --name backend --endpoint "+h.backend.url+" --from-env header_value=KEY", 0, "See whether it takes data with: odi destination test backend\n")

	h.sees("destination test", 2, "")
	h.sees("destination test bakcend", 2, "there is no destination bakcend in odi-system; there are: backend")
	h.sees("destination test backend", 3, "✗ Nothing was sent: the manager has not looked at it yet; to see why: odi status\n")
	h.is(metav1.ConditionFalse, "The spec is not valid.")
	h.sees("destination test backend", 3, "Nothing was sent: it is not Ready: The spec is not valid\\.\n")
	h.is(metav1.ConditionTrue, "Fine.")
	h.reaches()
	h.sees("destination test backend", 0, "^destination odi-system/backend \\(otlphttp\\), http://127.0.0.1:[0-9]+\n"+
		"✓ traces   accepted in [0-9]+ ms\n✓ metrics  accepted in [0-9]+ ms\n✓ logs     accepted in [0-9]+ ms\n"+
		"To find the data at the backend: service odi-destination-test, trace [0-9a-f]{32}\n$")
	h.tested(metav1.ConditionTrue, odiv1.ReasonTestAccepted, "one of each was sent: traces: accepted; metrics: accepted; logs: accepted.")

	// A backend that refuses, and says what it was given.
	h.backend.says(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "token "+r.Header.Get("Authorization")+" expired", http.StatusUnauthorized)
	})
	h.sees("destination test backend", 3, "✗ traces   HTTP: it refuses the credentials \\(401\\)\n           HTTP 401 Unauthorized: token \\*\\*\\* expired\n"+
		"           Hint: The key has expired. Make a new one, and store it: odi destination add otlphttp --name backend --replace\n✗ metrics  HTTP: ")
	h.tested(metav1.ConditionFalse, odiv1.ReasonTestRefused, "traces: HTTP: it refuses the credentials (401); metrics: HTTP:")
	h.sees("describe destination/backend", 0, "Tested is False \\(TestRefused\\): At 20.*, one of each was sent: traces: HTTP: it refuses the credentials \\(401\\)")
	h.programs()
	h.narrow()

	// A change that is on its way is waited for.
	h.backend.says(func(http.ResponseWriter, *http.Request) {})
	h.sees("destination add otlphttp --name backend --endpoint "+h.backend.url+"/otlp --from-env header_value=KEY --replace", 0, "changed")
	h.is(metav1.ConditionTrue, "Fine.")
	late := time.AfterFunc(2*time.Second, h.reaches)
	defer late.Stop()
	began := time.Now()
	h.sees("destination test backend", 0, "/otlp\n✓ traces ")
	if time.Since(began) < 2*time.Second {
		t.Error("it was tested as it was before its change")
	}

	h.waits()
	h.checks()
	h.rights()
	h.gatewayIsReady(corev1.ConditionFalse)
	h.sees("destination test backend", 3, "Nothing was sent: no pod of the gateway is ready; to see why: odi status")
}

// tested looks at what kubectl shows.
func (h gatewayHouse) tested(status metav1.ConditionStatus, reason, message string) {
	h.t.Helper()
	d := h.destination()
	c := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionTested)
	if c == nil || c.Status != status || c.Reason != reason || !strings.Contains(c.Message, message) || c.ObservedGeneration != d.Generation {
		h.t.Errorf("the condition is %+v", c)
	}
	if meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionReady) == nil {
		h.t.Error("the manager's conditions are gone")
	}
	if text, _ := json.Marshal(d.Status); strings.Contains(string(text), "expired") || strings.Contains(string(text), "hunter2") {
		h.t.Errorf("the backend's words are in the status: %s", text)
	}
}

// programs read objects, and no secret.
func (h gatewayHouse) programs() {
	h.t.Helper()
	out, _, code := h.types("destination test backend -o json")
	var result trial.Result
	if err := json.Unmarshal([]byte(out), &result); err != nil || code != 3 || len(result.Signals) != 3 || result.Accepted() || result.Signals[2].Hint == "" || result.Pod == "" {
		h.t.Errorf("%d, %v: %s", code, err, out)
	}
	yaml, _, code := h.types("destination test backend -o yaml")
	if code != 3 || !strings.Contains(yaml, "  signal: logs\n  step: HTTP\n") {
		h.t.Errorf("%d: %s", code, yaml)
	}
	if strings.Contains(out+yaml, "hunter2") {
		h.t.Errorf("a secret is shown: %s", out)
	}
}

// narrow terminals hold every line but commands.
func (h gatewayHouse) narrow() {
	h.t.Helper()
	var out, problems bytes.Buffer
	io := streams.Streams{In: strings.NewReader(""), Out: &out, Err: &problems, OutTerminal: true, OutWidth: 80}
	cli.Run(h.t.Context(), io, []string{"destination", "test", "backend"})
	for line := range strings.Lines(out.String()) {
		line = strings.NewReplacer("\x1b[31m", "", "\x1b[0m", "", "\n", "").Replace(line)
		if utf8.RuneCountInString(line) > 80 && !strings.HasPrefix(strings.TrimSpace(line), "odi ") {
			h.t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
	if !strings.Contains(out.String(), "\x1b[31m✗") {
		h.t.Errorf("no colour in a terminal: %q", out.String())
	}
}

// checks: odi check asks where nothing is known, unless it is told not to.
func (h gatewayHouse) checks() {
	h.t.Helper()
	h.backend.says(func(http.ResponseWriter, *http.Request) {})
	manager := testkit.Deployment("odi-system", "odi-manager", "manager")
	manager.Labels = map[string]string{"app.kubernetes.io/version": "1.2.3"} // odi is installed.
	testkit.Create(h.t, h.c, manager)
	h.is(metav1.ConditionTrue, "Fine.")
	h.wantCheck("", "ok", "Fine")
	d := h.destination()
	meta.SetStatusCondition(&d.Status.Conditions, metav1.Condition{Type: odiv1.ConditionExporting, Status: metav1.ConditionUnknown, Reason: "Because", Message: "Nobody knows."})
	if err := h.c.Status().Update(h.t.Context(), d); err != nil {
		h.t.Fatal(err)
	}
	h.wantCheck("", "ok", "the gateway was asked just now, and the backend took one of each signal")
	h.wantCheck(" --no-ask", "unknown", "Nobody knows, and the gateway was not asked: --no-ask was given")
	h.backend.says(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "hunter2", http.StatusForbidden) })
	h.wantCheck("", "broken", "the gateway was asked just now: traces: HTTP: it refuses access with these credentials (403)")
	h.is(metav1.ConditionTrue, "Fine.")
}

func (h gatewayHouse) wantCheck(flags, state, text string) {
	h.t.Helper()
	out, problems, _ := h.types("check --no-pods -n odi-system -o json" + flags)
	var report struct {
		Checks []struct {
			Code     string
			Findings []struct{ State, Text string }
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		h.t.Fatalf("%v: %s%s", err, out, problems)
	}
	for _, c := range report.Checks {
		if c.Code == "ODI-803" {
			if len(c.Findings) != 1 || c.Findings[0].State != state || !strings.Contains(c.Findings[0].Text, text) {
				h.t.Errorf("got %+v, want %s: %s", c.Findings, state, text)
			}
			return
		}
	}
	h.t.Errorf("ODI-803 is not in %.300s%s", out, problems)
}

// waits: `add --wait` tests as well.
func (h gatewayHouse) waits() {
	h.t.Helper()
	add := "destination add otlphttp --name backend --endpoint " + h.backend.url + "/otlp --from-env header_value=KEY --wait --timeout 5s"
	h.sees(add, 0, "unchanged\n.*It was tested with one of each signal, and the backend took them\\.\n$")
	h.backend.says(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/otlp/v1/logs" {
			http.NotFound(w, r)
		}
	})
	h.sees(add, 3, "✓ metrics .*✗ logs     HTTP: there is nothing that takes this signal \\(404\\)\n.*leave them out: --signals traces,metrics\n$")
	h.is(metav1.ConditionFalse, "Refused.")
	h.sees(add, 1, "odi: destination backend: Refused\\.\n$")
	h.is(metav1.ConditionTrue, "Fine.")
}

// rights: who may look at Destinations learns which right is missing, and nothing else.
func (h gatewayHouse) rights() {
	h.t.Helper()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "looks"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"odi.dev"}, Resources: []string{"destinations"}, Verbs: []string{"get", "list"}}}}
	tester := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "tests"}, Rules: append([]rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}}, {APIGroups: []string{""}, Resources: []string{"pods/exec"}, Verbs: []string{"create", "get"}},
	}, role.Rules...)}
	testkit.Create(h.t, h.c, role, tester)
	for user, role := range map[string]string{"ann": "looks", "bob": "tests"} {
		testkit.Create(h.t, h.c, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: user}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}})
	}
	h.t.Setenv("KUBECONFIG", kubeconfig(h.t, h.server, "bob"))
	testkit.Eventually(h.t, 20*time.Second, "the API server knows the roles", func() bool {
		_, _, code := h.types("destination test backend")
		return code == 3
	})
	h.t.Setenv("KUBECONFIG", kubeconfig(h.t, h.server, "ann"))
	h.sees("destination test backend", 1, "^odi: no permission.*to check: kubectl auth can-i create pods --subresource=exec --namespace odi-system\n$")
	h.t.Setenv("KUBECONFIG", kubeconfig(h.t, h.server, ""))
}
