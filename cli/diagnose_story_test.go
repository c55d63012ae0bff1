package cli_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/secrets"
)

// seeds makes secrets, and remembers where each was put.
type seeds struct{ where map[string]string }

// at is another secret; the place is what a failure names. None looks like a key by itself.
func (s seeds) at(place string) string {
	secret := fmt.Sprintf("zq%dseed-of-%d", len(s.where)+100, len(s.where))
	s.where[secret] = place
	return secret
}

// TestDiagnoseTellsNoSecret puts 50 secrets or more into every place where one can be, and looks for each, in every form, in
// all that the archive holds; and what helps must be in it all the same.
func TestDiagnoseTellsNoSecret(t *testing.T) {
	restConfig := testkit.EmptyAPIServer(t)
	h := house{user: user{t}, c: testkit.Client(t, restConfig)}
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))
	s := seeds{map[string]string{}}
	testkit.Namespace(t, h.c, "shop")
	values := filepath.Join(t.TempDir(), "values.yaml")
	write(t, values, fmt.Sprintf(`
manager: {env: [{name: HTTPS_PROXY, value: "http://joe:%s@proxy:3128"}, {name: WHATEVER, value: %s}]}
odiglet: {env: [{name: OTEL_RESOURCE_ATTRIBUTES, value: "a=%s"}]}
`, s.at("values: a proxy's password"), s.at("values: env of the manager"), s.at("values: env of the odiglet")))
	h.sees(install+" -f "+values, 0, "")
	h.seedSecrets(s)
	h.seedWishes(s)
	h.seedObjects(s)
	h.seedPods(s, h.fakeKubelet(s))
	if len(s.where) < 50 {
		t.Fatalf("only %d secrets", len(s.where))
	}

	for name, as := range map[string]string{"an administrator": "", "one who may read no Secret": "carl"} {
		if as != "" {
			h.allow(as)
		}
		t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, as))
		file := filepath.Join(t.TempDir(), "odi.tar.gz")
		begin := time.Now()
		h.sees("diagnose --to "+file, 0, `odi.tar.gz: \d+ KiB, secrets left out; look into it before you hand it on\n\d+ things could not be had; index.json`)
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
		files := unpacked(t, file)
		for _, want := range []string{"versions.json", "checks.json", "objects/destinations.yaml", "objects/nodeinstrumentations.yaml", "objects/deployments.yaml",
			"events.yaml", "index.json", "logs/odi-manager-x/manager.log", "logs/odi-manager-x/manager.previous.log"} {
			if len(files[want]) == 0 && want != "objects/nodeinstrumentations.yaml" {
				t.Errorf("for %s %s is missing:\n%s", name, want, files["index.json"])
			}
		}
		for _, want := range []struct{ file, text string }{
			{"logs/odi-manager-x/manager.log", "gateway ready"}, {"objects/destinations.yaml", "jaeger.observability:4317"}, {"events.yaml", "Decided"},
			{"objects/secrets.yaml", "otlp-credentials"}, {"objects/configmaps.yaml", "queue_size"}, {"checks.json", "ODI-701"}, {"objects/pods.yaml", "odi-manager-x"},
			{"index.json", "metrics/odi-manager-x.prom"},
		} {
			if as != "" && want.file == "objects/secrets.yaml" {
				want.file, want.text = "index.json", "may not list secrets"
			}
			if !strings.Contains(files[want.file], want.text) {
				t.Errorf("for %s %s does not have %q:\n%.2000s", name, want.file, want.text, files[want.file])
			}
		}
		if as != "" {
			for line := range strings.Lines(files["index.json"]) {
				if strings.Contains(line, "may not") && !strings.Contains(line, "secrets") && !strings.Contains(line, "pods/portforward") {
					t.Errorf("the documented rights are not enough: %s", line)
				}
			}
		}
		for secret, file := range s.told(files, as != "") {
			t.Errorf("for %s: the secret %q (%s) is in %s", name, secret, s.where[secret], file)
		}
	}
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))
	h.sees("diagnose --to "+values, 2, "exists; name another file with --to")
	h.sees("diagnose --dry-run", 0, "(?m)^logs/<pod>/<container>.log +logs of odi's own pods.*get pods/log in odi's namespace$")
}

// TestRightsOfDiagnoseAreDocumented compares what it says that it needs with docs/security.md.
func TestRightsOfDiagnoseAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	out, _, code := user{t}.types("diagnose --dry-run")
	if code != 0 {
		t.Fatal(out)
	}
	looked := 0
	for line := range strings.Lines(out) {
		for _, begin := range []string{"   list ", "   get ", "   create "} {
			if _, right, found := strings.Cut(line, begin); found {
				looked++
				if right = "`" + strings.TrimSpace(begin+right) + "`"; !strings.Contains(string(page), right) {
					t.Errorf("docs/security.md does not have %s", right)
				}
			}
		}
	}
	if looked < 20 {
		t.Errorf("only %d rights were looked for in\n%s", looked, out)
	}
}

// told are the secrets that are in the files, in any form, with the file.
func (s seeds) told(files map[string]string, blind bool) map[string]string {
	found := map[string]string{}
	for secret, place := range s.where {
		if blind && strings.Contains(place, "as plain text") { // nobody can know it who may not read the Secret
			continue
		}
		for name, content := range files {
			if form := secrets.In([]byte(content)).Find(secret); form != "" {
				found[secret] = name + ", " + form
			}
		}
	}
	return found
}

// seedSecrets are Secrets: odi's, a Destination's elsewhere, somebody else's, with values that are hard to find.
func (h house) seedSecrets(s seeds) {
	h.t.Helper()
	for _, namespace := range []string{"odi-system", "shop"} {
		data := map[string][]byte{"token": []byte(s.at("Secret in " + namespace)), "password": []byte("x$" + s.at("Secret with a $") + "'\"{}"),
			"pem": []byte("-----BEGIN PRIVATE KEY-----\n" + s.at("a private key") + "\n-----END PRIVATE KEY-----\n")}
		testkit.Create(h.t, h.c, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "otlp-credentials", Annotations: map[string]string{
			"kubectl.kubernetes.io/last-applied-configuration": `{"stringData":{"token":"` + s.at("last-applied of a Secret") + `"}}`}}, Data: data})
	}
}

// seedWishes are what users wrote, where they should not have written secrets.
func (h house) seedWishes(s seeds) {
	h.t.Helper()
	marks := func(kind string) map[string]string {
		return map[string]string{
			"kubectl.kubernetes.io/last-applied-configuration": `{"spec":{"x":"` + s.at("last-applied of a "+kind) + `"}}`,
			"example.com/note": s.at("annotation of a " + kind),
		}
	}
	dest := func(namespace, name string, config map[string]string) *odiv1.Destination {
		return &odiv1.Destination{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: marks("Destination")},
			Spec: odiv1.DestinationSpec{Type: "otlp", Config: config, SecretRef: &odiv1.SecretReference{Name: "otlp-credentials"}}}
	}
	plain := dest("odi-system", "plain", map[string]string{"endpoint": "http://jaeger.observability:4317"})
	bad := dest("shop", "bad", map[string]string{
		"endpoint": "https://user:" + s.at("password in an endpoint") + "@h:4317/v1?api_key=" + s.at("query of an endpoint"),
		"headers":  "x-team=" + s.at("header of a Destination"), "custom": s.at("field of a Destination that no type has"),
	})
	// Before Kubernetes 1.30, and with admissionPolicies=false, nobody refuses such Destinations.
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "odi-destinations"}}
	if err := h.c.Delete(h.t.Context(), binding); err != nil {
		h.t.Fatal(err)
	}
	failing := plain.DeepCopy()
	testkit.Create(h.t, h.c, failing)
	testkit.Eventually(h.t, 20*time.Second, "the API server takes any Destination", func() bool { return h.c.Create(h.t.Context(), bad.DeepCopy()) == nil })
	failing.Status.Conditions = []metav1.Condition{{Type: "Exporting", Status: "False", Reason: "ExportRefused", LastTransitionTime: metav1.Now(),
		Message: `401: {"token": "` + s.at("a backend's words in a condition") + `"} for https://h/?key=` + s.at("a query in a condition")}}
	if err := h.c.Status().Update(h.t.Context(), failing); err != nil {
		h.t.Fatal(err)
	}
	testkit.Create(h.t, h.c, &odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "all", Annotations: marks("InstrumentationConfig")}})
}

// seedObjects are odi's own objects, as others have changed them, and a user's workload.
func (h house) seedObjects(s seeds) {
	h.t.Helper()
	testkit.Create(h.t, h.c,
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-gateway", Annotations: map[string]string{"a/b": s.at("annotation of a ConfigMap")}},
			Data: map[string]string{"config.yaml": fmt.Sprintf(`
exporters:
  otlp:
    endpoint: https://u:%s@h:4317
    headers: {x-any: %s, Authorization: "Bearer %s"}
    sending_queue: {queue_size: 1000}
extensions:
  basicauth: {client_auth: {username: u, password: %s}}
  bearertokenauth: {token: %s}
  other: {api_key: %s, url: "https://h/?sig=%s"}
`, s.at("collector: userinfo"), s.at("collector: header"), s.at("collector: bearer header"), s.at("collector: password"), s.at("collector: token"),
				s.at("collector: api_key"), s.at("collector: query"))}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "somebodys"}, Data: map[string]string{"x": s.at("somebody's ConfigMap")},
			BinaryData: map[string][]byte{"y": []byte(s.at("binaryData"))}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odd", Annotations: map[string]string{"role": s.at("annotation of an account")}}},
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart"}, Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i", Env: []corev1.EnvVar{{Name: "PLAIN", Value: s.at("env of a user's workload")}}}}}}}},
	)
	var manager appsv1.Deployment
	if err := h.c.Get(h.t.Context(), client.ObjectKey{Namespace: "odi-system", Name: "odi-manager"}, &manager); err != nil {
		h.t.Fatal(err)
	}
	manager.Annotations["kubectl.kubernetes.io/last-applied-configuration"] = `{"env":[{"name":"A","value":"` + s.at("last-applied of the manager") + `"}]}`
	manager.Spec.Template.Annotations = map[string]string{"vault.example/inject": s.at("annotation of a pod template")}
	c := &manager.Spec.Template.Spec.Containers[0]
	c.Args = append(c.Args, "--api-token="+s.at("an argument"), "--url=https://x/?k="+s.at("a query in an argument"))
	c.Env = append(c.Env, corev1.EnvVar{Name: "PLAIN", Value: s.at("env of the manager")}, corev1.EnvVar{Name: "OTEL_EXPORTER_OTLP_HEADERS", Value: "a=" + s.at("OTLP headers")})
	if err := h.c.Update(h.t.Context(), &manager); err != nil {
		h.t.Fatal(err)
	}
	for i, namespace := range []string{"odi-system", "shop"} {
		testkit.Create(h.t, h.c, &eventsv1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "e" + strconv.Itoa(i),
			Annotations: map[string]string{"x": s.at("annotation of an Event")}},
			EventTime: metav1.NowMicro(), ReportingController: "odi-manager", ReportingInstance: "m", Action: "Decide", Reason: "Decided", Type: "Normal",
			Regarding: corev1.ObjectReference{Kind: "Deployment", Namespace: namespace, Name: "cart"},
			Note:      "sent Authorization: Basic " + s.at("basic auth in an Event") + " to https://u:" + s.at("userinfo in an Event") + "@h"})
	}
}

// seedPods makes a pod of the manager's whose node is at the address.
func (h house) seedPods(s seeds, kubelet *url.URL) {
	h.t.Helper()
	port, err := strconv.Atoi(kubelet.Port())
	if err != nil {
		h.t.Fatal(err)
	}
	h.node("here")
	var node corev1.Node
	if err := h.c.Get(h.t.Context(), client.ObjectKey{Name: "here"}, &node); err != nil {
		h.t.Fatal(err)
	}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: kubelet.Hostname()}, {Type: corev1.NodeHostName, Address: kubelet.Hostname()}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(port)
	if err := h.c.Status().Update(h.t.Context(), &node); err != nil {
		h.t.Fatal(err)
	}
	testkit.Create(h.t, h.c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "default"}})
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-manager-x", Labels: map[string]string{odiv1.LabelComponent: "manager"},
			Annotations: map[string]string{"cni.example/status": s.at("annotation of a pod")}},
		Spec: corev1.PodSpec{NodeName: "here", Containers: []corev1.Container{{Name: "manager", Image: "i",
			Env:     []corev1.EnvVar{{Name: "PLAIN", Value: s.at("env of a pod")}},
			Command: []string{"sh", "-c", "curl -H 'X-Api-Key: " + s.at("a header in a command") + "' x"}}}},
	}
	testkit.Create(h.t, h.c, pod)
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "manager", RestartCount: 1, LastTerminationState: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 1, Message: "password=" + s.at("a container's last message")}}}}
	if err := h.c.Status().Update(h.t.Context(), pod); err != nil {
		h.t.Fatal(err)
	}
}

// fakeKubelet serves logs with secrets in them, as the API server asks a kubelet for them.
func (h house) fakeKubelet(s seeds) *url.URL {
	var known []string
	for secret, place := range s.where {
		if strings.HasPrefix(place, "Secret in odi-system") {
			known = append(known, secret)
		}
	}
	log := strings.Join([]string{
		`{"level":"info","msg":"gateway ready"}`,
		`{"level":"error","msg":"refused","authorization":"` + s.at("JSON in a log") + `"}`,
		`headers: map[Authorization:[Bearer ` + s.at("a map of headers in a log") + `]]`,
		`GET https://api.example/v1/in?api-key=` + s.at("a query in a log") + ` 403`,
		`dial postgres://u:` + s.at("a DSN in a log") + `@db:5432/x`,
		`X-Scope-Token: ` + s.at("a header in a log"),
		`cookie='` + s.at("a cookie in a log") + `; path=/'`,
		`-----BEGIN EC PRIVATE KEY-----`, s.at("a key in a log"), `-----END EC PRIVATE KEY-----`,
		`the backend says ` + strings.Join(known, " ") + ` is wrong`, // known from the Secret alone
	}, "\n") + "\n"
	for _, secret := range known {
		s.where[secret] += ", as plain text in a log"
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/containerLogs/odi-system/odi-manager-x/manager") {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, log)
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	server.Listener.Close()
	server.Listener = listener
	server.StartTLS()
	h.t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	return at
}

// allow lets somebody see everything but Secrets.
func (h house) allow(name string) {
	h.t.Helper()
	testkit.Create(h.t, h.c, reader(name)...)
	testkit.Eventually(h.t, 20*time.Second, "the API server knows the rights", func() bool {
		_, _, code := h.types("status --as " + name)
		return code != 1
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func unpacked(t *testing.T, path string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) > 20<<20 {
		t.Errorf("%d bytes", len(content))
	}
	zip, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	archive := tar.NewReader(zip)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(header.Name, "odi-diagnose/")] = string(text)
	}
}

// reader are the roles of who may read everything of odi's but Secrets.
func reader(name string) []client.Object {
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "reads-no-secrets"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"odi.dev", "apps", "batch", "coordination.k8s.io", "discovery.k8s.io", "networking.k8s.io", "admissionregistration.k8s.io",
			"rbac.authorization.k8s.io", "events.k8s.io", "apiextensions.k8s.io"}, Resources: []string{"*"}, Verbs: []string{"get", "list"}},
		{APIGroups: []string{""}, Resources: []string{"pods", "pods/log", "services", "configmaps", "serviceaccounts", "resourcequotas", "limitranges", "nodes", "namespaces"},
			Verbs: []string{"get", "list"}},
	}}
	return []client.Object{role, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "reads-no-secrets"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}}}}
}
