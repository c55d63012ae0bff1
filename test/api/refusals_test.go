package api

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/odi-dev/odi/internal/testkit"
)

// refusals holds one object per rule of the schemas, and what the API server says to it.
var refusals = map[string]struct {
	kind, spec string
	want       string // part of the message; it begins with the field's path
}{
	"a target with a name but no kind": {"InstrumentationConfig", `{target: {name: cart}}`,
		"spec.target: Invalid value: kind and name go together"},
	"a target with a kind but no name": {"InstrumentationConfig", `{target: {kind: Deployment}}`,
		"spec.target: Invalid value: kind and name go together"},
	"a target with a name and a selector": {"InstrumentationConfig", `{target: {kind: Deployment, name: cart, selector: {}}}`,
		"spec.target: Invalid value: give kind and name, or selector, not both"},
	"a selector with an operator that does not exist": {"InstrumentationConfig",
		`{target: {selector: {matchExpressions: [{key: tier, operator: Is, values: [web]}]}}}`,
		"spec.target.selector: Invalid value: operator is In or NotIn with values, or Exists or DoesNotExist without"},
	"a selector without the values that it needs": {"InstrumentationConfig",
		`{target: {selector: {matchExpressions: [{key: tier, operator: In}]}}}`,
		"spec.target.selector: Invalid value: operator is In or NotIn"},
	"a kind that is misspelt": {"InstrumentationConfig", `{target: {kind: Deploymnt, name: cart}}`,
		`spec.target.kind: Invalid value: "Deploymnt": spec.target.kind in body should match '^(Deployment|StatefulSet|DaemonSet|CronJob|Job|ReplicaSet|`},
	"another controller's kind without its group": {"InstrumentationConfig", `{target: {kind: Rollout, name: cart}}`,
		`spec.target.kind: Invalid value: "Rollout"`},
	"a method that does not exist": {"InstrumentationConfig", `{method: Magic}`,
		`spec.method: Unsupported value: "Magic": supported values: "Auto", "eBPF", "Agent", "None"`},
	"no signal": {"InstrumentationConfig", `{signals: []}`,
		"spec.signals: Invalid value: 0: spec.signals in body should have at least 1 items"},
	"a signal that does not exist": {"InstrumentationConfig", `{signals: [profiles]}`,
		`spec.signals[0]: Unsupported value: "profiles": supported values: "traces", "metrics", "logs"`},
	"a signal twice": {"InstrumentationConfig", `{signals: [traces, traces]}`,
		`spec.signals[1]: Duplicate value: "traces"`},
	"an ignored path that is none": {"InstrumentationConfig", `{http: {ignored: [healthz]}}`,
		"spec.http.ignored[0]: Invalid value: \"healthz\""},
	"an ignored path with a star in the middle": {"InstrumentationConfig", `{http: {ignored: ["/a/*/b"]}}`,
		"spec.http.ignored[0]: Invalid value: \"/a/*/b\""},
	"a key of a query with its value": {"InstrumentationConfig", `{http: {queryKeys: ["q=1"]}}`,
		"spec.http.queryKeys[0]: Invalid value: \"q=1\""},
	"a route without a slash": {"InstrumentationConfig", `{http: {routes: ["users/{id}"]}}`,
		"spec.http.routes[0]: Invalid value: \"users/{id}\""},
	"a route with a star in the middle": {"InstrumentationConfig", `{http: {routes: ["/a/*/b"]}}`,
		"spec.http.routes[0]: Invalid value: \"/a/*/b\""},
	"a route whose parameter has no name": {"InstrumentationConfig", `{http: {routes: ["/a", "/a/{}"]}}`,
		"spec.http.routes[1]: Invalid value: \"/a/{}\""},
	"a route that is empty": {"InstrumentationConfig", `{http: {routes: [""]}}`,
		"spec.http.routes[0]: Invalid value"},
	"an override without a method": {"InstrumentationConfig", `{containers: [{name: app}]}`,
		"spec.containers[0].method: Required value"},
	"two overrides of one container": {"InstrumentationConfig", `{containers: [{name: app, method: eBPF}, {name: app, method: None}]}`,
		`spec.containers[1]: Duplicate value: {"name":"app"}`},
	"a field that does not exist": {"InstrumentationConfig", `{methods: eBPF}`,
		`unknown field "spec.methods"`},
	"a destination without a type": {"Destination", `{config: {}}`,
		"spec.type: Required value"},
	"a destination type that is no name": {"Destination", `{type: "Jaeger!"}`,
		"spec.type: Invalid value: \"Jaeger!\""},
	"a destination with a field that is too long": {"Destination", `{type: jaeger, config: {endpoint: "` + strings.Repeat("x", 4097) + `"}}`,
		"spec.config: Invalid value: keys are at most 63 and values at most 4096 characters"},
	"a secret reference without a name": {"Destination", `{type: jaeger, secretRef: {}}`,
		"spec.secretRef.name: Required value"},
	"a secret reference that is a path": {"Destination", `{type: jaeger, secretRef: {name: a/b}}`,
		`spec.secretRef.name: Invalid value: "a/b"`},
	"a secret reference with a reference in it": {"Destination", `{type: jaeger, secretRef: {name: "${env:x}"}}`,
		`spec.secretRef.name: Invalid value: "${env:x}"`},
	"a destination with a signal that does not exist": {"Destination", `{type: jaeger, signals: [spans]}`,
		`spec.signals[0]: Unsupported value: "spans"`},
	"a decision that decides nothing": {"InstrumentedWorkload",
		`{workload: {kind: Deployment, name: cart}, config: all, containers: [{name: app, method: Auto, reason: X}]}`,
		`spec.containers[0].method: Invalid value: "Auto": a decision is eBPF, Agent or None`},
}

func TestMalformedObjectsAreRefusedWithTheFieldsPath(t *testing.T) {
	c := testkit.Client(t, testkit.APIServer(t))
	strict := client.WithFieldValidation(c, "Strict")
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			err := strict.Create(t.Context(), object(t, tc.kind, tc.spec))
			if err == nil {
				t.Fatalf("the API server took spec %s", tc.spec)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
	t.Run("the type of a destination that exists", func(t *testing.T) {
		dest := object(t, "Destination", `{type: jaeger}`)
		testkit.Create(t, c, dest)
		before := dest.DeepCopy()
		if err := unstructured.SetNestedField(dest.Object, "otlp", "spec", "type"); err != nil {
			t.Fatal(err)
		}
		err := c.Patch(t.Context(), dest, client.MergeFrom(before))
		want := `spec.type: Invalid value: "otlp": type cannot be changed; create another destination`
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
	t.Run("defaults", func(t *testing.T) {
		ic := object(t, "InstrumentationConfig", `{}`)
		delete(ic.Object, "spec")
		testkit.Create(t, c, ic)
		method, _, _ := unstructured.NestedString(ic.Object, "spec", "method")
		signals, _, _ := unstructured.NestedStringSlice(ic.Object, "spec", "signals")
		if method != "Auto" || strings.Join(signals, " ") != "traces metrics" {
			t.Errorf("an empty config became %v", ic.Object["spec"])
		}
	})
}

func object(t *testing.T, kind, spec string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	text := "apiVersion: odi.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: x, namespace: default}\nspec: " + spec + "\n"
	if err := yaml.Unmarshal([]byte(text), obj); err != nil {
		t.Fatal(err)
	}
	return obj
}
