//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// refusal is one wrong call of the CLI.
type refusal struct {
	args []string
	code int
	// says are words that the answer must have.
	says []string
}

func (w *world) expectRefusals(t *testing.T, kubeconfig string, refusals map[string]refusal) {
	t.Helper()
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			got := w.tryOdi(t, kubeconfig, r.args...)
			if got.code != r.code {
				t.Errorf("odi %s: exit %d, want %d", strings.Join(r.args, " "), got.code, r.code)
			}
			for _, word := range r.says {
				if !strings.Contains(got.stderr, word) {
					t.Errorf("odi %s does not say %q:\n%s", strings.Join(r.args, " "), word, got.stderr)
				}
			}
			if strings.Contains(got.stderr+got.stdout, "panic") || strings.Contains(got.stderr, "goroutine ") {
				t.Errorf("odi %s shows its insides:\n%s", strings.Join(r.args, " "), got.stderr)
			}
		})
	}
}

func (w *world) checkNotInstalled(t *testing.T) {
	w.expectRefusals(t, w.cluster.Kubeconfig, map[string]refusal{
		"instrument": {args: []string{"instrument", "namespace", "shop"}, code: 1, says: []string{"odi install"}},
		"add a destination": {
			args: []string{"destination", "add", "jaeger", "--name", "jaeger", "--endpoint", "http://x:4317"},
			code: 1, says: []string{"odi install"},
		},
	})
}

func (w *world) checkBadInput(t *testing.T) {
	w.expectRefusals(t, w.cluster.Kubeconfig, map[string]refusal{
		"unknown namespace":  {args: []string{"instrument", "namespace", "shpo"}, code: 2, says: []string{"shpo", "shop"}},
		"unknown deployment": {args: []string{"instrument", "deployment", "nope", "-n", "shop"}, code: 2, says: []string{"nope", "frontend"}},
		"unknown kind":       {args: []string{"instrument", "volume", "nginx", "-n", "shop"}, code: 2, says: []string{"volume", "deployment"}},
		"no bare pod":        {args: []string{"instrument", "pod", "nginx", "-n", "shop"}, code: 2, says: []string{"no pod shop/nginx"}},
		"no scheme": {
			args: []string{"destination", "add", "jaeger", "--name", "j2", "--endpoint", "jaeger:4317"},
			code: 2, says: []string{"endpoint", "http://jaeger:4317"},
		},
		"unknown type":  {args: []string{"destination", "add", "jagger"}, code: 2, says: []string{"jagger", "jaeger"}},
		"missing field": {args: []string{"destination", "add", "jaeger", "--name", "j2"}, code: 2, says: []string{"endpoint"}},
		"unknown field": {
			args: []string{"destination", "add", "jaeger", "--name", "j2", "--endpoint", "http://x:4317", "--colour", "red"},
			code: 2, says: []string{"colour"},
		},
		"bad endpoint": {
			args: []string{"destination", "add", "jaeger", "--name", "j2", "--endpoint", "http://:not a url"},
			code: 2, says: []string{"endpoint"},
		},
		"unknown output": {args: []string{"status", "-o", "xml"}, code: 2, says: []string{"xml", "json"}},
	})
	w.expectRefusals(t, nowhere(t), map[string]refusal{
		"no cluster": {args: []string{"status"}, code: 1, says: []string{"127.0.0.1:1"}},
	})
	w.expectRefusals(t, w.powerless(t), map[string]refusal{
		"no permission": {args: []string{"instrument", "namespace", "shop"}, code: 1, says: []string{"kubectl auth can-i"}},
	})
}

// nowhere writes a kubeconfig of an API server that does not answer.
func nowhere(t *testing.T) string {
	t.Helper()
	return writeKubeconfig(t, map[string]any{"server": "https://127.0.0.1:1"}, "none")
}

// powerless writes a kubeconfig of an account without any role.
func (w *world) powerless(t *testing.T) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "traffic", Name: "powerless"}}
	if err := client.IgnoreAlreadyExists(w.cluster.Create(t.Context(), account)); err != nil {
		t.Fatal(err)
	}
	request := &authenticationv1.TokenRequest{}
	if err := w.cluster.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return writeKubeconfig(t, map[string]any{
		"server": w.cluster.Host(), "insecure-skip-tls-verify": true,
	}, request.Status.Token)
}

func writeKubeconfig(t *testing.T, cluster map[string]any, token string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "it",
		"clusters": []any{map[string]any{"name": "it", "cluster": cluster}},
		"users":    []any{map[string]any{"name": "it", "user": map[string]any{"token": token}}},
		"contexts": []any{map[string]any{"name": "it", "context": map[string]any{"cluster": "it", "user": "it"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) checkMalformedObjects(t *testing.T) {
	tests := map[string]struct {
		kind, spec string
		want       string
	}{
		"a destination without a type":     {kind: "Destination", spec: `{}`, want: "spec.type"},
		"a type that is no name":           {kind: "Destination", spec: `{"type":"Jaeger!"}`, want: "spec.type"},
		"an unknown signal":                {kind: "Destination", spec: `{"type":"jaeger","signals":["smells"]}`, want: "spec.signals[0]"},
		"a kind without a name":            {kind: "InstrumentationConfig", spec: `{"target":{"kind":"Deployment"}}`, want: "kind and name go together"},
		"an unknown method":                {kind: "InstrumentationConfig", spec: `{"method":"Magic"}`, want: "spec.method"},
		"an ignored path without a slash":  {kind: "InstrumentationConfig", spec: `{"http":{"ignored":["healthz"]}}`, want: "spec.http.ignored[0]"},
		"a container override with no way": {kind: "InstrumentationConfig", spec: `{"containers":[{"name":"app"}]}`, want: "spec.containers[0].method"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			manifest := fmt.Sprintf(`{"apiVersion":"odi.dev/v1alpha1","kind":%q,"metadata":{"namespace":"shop","name":"malformed"},"spec":%s}`, tc.kind, tc.spec)
			err := w.cluster.Apply(t.Context(), []byte(manifest))
			if err == nil {
				t.Errorf("the API server took %s", manifest)
				if err := w.cluster.Delete(t.Context(), []byte(manifest)); err != nil {
					t.Error(err)
				}
				return
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("want an error with %q, got: %v", tc.want, err)
			}
		})
	}
}
