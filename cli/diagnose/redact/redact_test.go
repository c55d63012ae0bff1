package redact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestText(t *testing.T) {
	r := New([][]byte{[]byte("kn0wn$ecret"), []byte("a\"b{c}\nd$e"), []byte("abc")})
	for text, want := range map[string]string{
		// What people need stays.
		`level=info msg="gateway ready" pods=3 trace=0af7651916cd43dd8448eb211c80319c`: `level=info msg="gateway ready" pods=3 trace=0af7651916cd43dd8448eb211c80319c`,
		"odi-gateway-6f4d8c7b9-x2x4k on ip-10-0-0-1.eu-west-1.compute.internal":        "odi-gateway-6f4d8c7b9-x2x4k on ip-10-0-0-1.eu-west-1.compute.internal",
		"sha256:3f5a0c2b9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e4d3c2b":      "sha256:3f5a0c2b9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e4d3c2b",
		"sending to http://jaeger.observability:4317: connection refused":              "sending to http://jaeger.observability:4317: connection refused",
		"abc is too short to be looked for":                                            "abc is too short to be looked for",
		"the authorities are renewed, authors too":                                     "the authorities are renewed, authors too",
		// What is known goes in every form.
		"x kn0wn$ecret y":                 "x [REDACTED] y",
		"x a3cwd24kZWNyZXQ y":             "x a3cwd24kZWNyZXQ y",
		"?q kn0wn%24ecret":                "?q [REDACTED]",
		`{"a":"a\"b{c}\nd$e"}`:            `{"a":"[REDACTED]"}`,
		"b64 " + "a24wd24kZWNyZXQ=" + ".": "b64 [REDACTED].",
		// What looks like one goes.
		"https://joe:pw@host/x":                                                         "https://[REDACTED]@host/x",
		"https://h/v1?api_key=abc&region=eu":                                            "https://h/v1?api_key=[REDACTED]&region=[REDACTED]",
		"Authorization: Bearer abc.def-ghi":                                             "Authorization: [REDACTED] [REDACTED]",
		`{"x-api-key": "abc", "n": 1}`:                                                  `{"x-api-key": "[REDACTED]", "n": 1}`,
		`odi_sent{to="https://u:p@h:4317",token="abc",job="odi"} 12`:                    `odi_sent{to="https://[REDACTED]@h:4317",token="[REDACTED]",job="odi"} 12`,
		"password=hunter2, user=joe":                                                    "password=[REDACTED], user=joe",
		"DD_API_KEY='abc'":                                                              "DD_API_KEY='[REDACTED]'",
		"token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc end":                            "token [REDACTED] end",
		"key is glsa_abcdefgh12345678":                                                  "key is [REDACTED]",
		"sent with q8Zt3LxP0vB7nR2kD5mWc1":                                              "sent with [REDACTED]",
		"-----BEGIN EC PRIVATE KEY-----\nMHc\nAbc\n-----END EC PRIVATE KEY-----\nafter": "[REDACTED]\nafter",
		"-----BEGIN PRIVATE KEY-----\ncut off":                                          "[REDACTED]",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", text, got, want)
		}
	}
}

func TestObject(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"a Secret has names": {
			"kind: Secret\nmetadata: {name: s}\ndata: {token: YWJj}\ntype: Opaque",
			"kind: Secret\nmetadata: {name: s}\ndata: {token: '[REDACTED]'}\ntype: Opaque"},
		"an environment": {
			`{kind: Deployment, spec: {template: {spec: {imagePullSecrets: [{name: r}], containers: [{name: c, env: [{name: A, value: x}, {name: NODE_NAME, value: n}, {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}], args: ["--log-level=info", "--token=abc"]}]}}}}`,
			`{kind: Deployment, spec: {template: {spec: {imagePullSecrets: [{name: r}], containers: [{name: c, env: [{name: A, value: "[REDACTED]"}, {name: NODE_NAME, value: n}, {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}], args: ["--log-level=info", "--token=[REDACTED]"]}]}}}}`},
		"annotations, and fields that nobody reads": {
			`{kind: Service, metadata: {managedFields: [{manager: m}], annotations: {kubectl.kubernetes.io/last-applied-configuration: "{x}", odi.dev/agents: a, note: n}}}`,
			`{kind: Service, metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: "[REDACTED]", odi.dev/agents: a, note: "[REDACTED]"}}}`},
		"a Destination": {
			`{kind: Destination, spec: {type: otlp, config: {endpoint: "https://u:p@h:4317", headers: "a=b", team: t}, secretRef: {name: s}}}`,
			`{kind: Destination, spec: {type: otlp, config: {endpoint: "https://[REDACTED]@h:4317", headers: "[REDACTED]", team: "[REDACTED]"}, secretRef: {name: s}}}`},
		"a collector's configuration": {
			"kind: ConfigMap\nmetadata: {name: odi-gateway}\ndata:\n  c.yaml: |\n    exporters:\n      otlp: {endpoint: h, headers: {x: y}}\n",
			"kind: ConfigMap\nmetadata: {name: odi-gateway}\ndata:\n  c.yaml: |\n    exporters:\n      otlp:\n        endpoint: h\n        headers:\n          x: '[REDACTED]'\n"},
		"somebody else's configuration": {
			"kind: ConfigMap\nmetadata: {name: app}\ndata: {a: b}",
			"kind: ConfigMap\nmetadata: {name: app}\ndata: {a: '[REDACTED]'}"},
	} {
		t.Run(name, func(t *testing.T) {
			var in, want map[string]any
			for text, into := range map[string]*map[string]any{tc.in: &in, tc.want: &want} {
				if err := yaml.Unmarshal([]byte(text), into); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, Redactor{}.Object(in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigThatIsNoYAMLIsText(t *testing.T) {
	if got := (Redactor{}).Config("a: [\npassword: x"); strings.Contains(got, "x") {
		t.Errorf("got %q", got)
	}
}
