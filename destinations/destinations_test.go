package destinations

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

var update = flag.Bool("update", false, "rewrite what the stories want")

// request is what a story's given.yaml says of a Destination.
type request struct {
	Type    string            `json:"type"`
	Config  map[string]string `json:"config"`
	Secrets []string          `json:"secrets"`
	Signals []odiv1.Signal    `json:"signals"`
}

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			story, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			given := parseGiven(t, story)
			got := render(t, given)
			if *update {
				story.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(story), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(story.Files[1].Data), got); diff != "" {
				t.Errorf("%s(-want +got)\n%s", story.Comment, diff)
			}
		})
	}
}

func parseGiven(t *testing.T, story *txtar.Archive) request {
	t.Helper()
	if len(story.Files) != 2 || story.Files[0].Name != "given.yaml" || story.Files[1].Name != "want.yaml" {
		t.Fatal("a story has given.yaml and want.yaml")
	}
	var given request
	if err := yaml.UnmarshalStrict(story.Files[0].Data, &given); err != nil {
		t.Fatal(err)
	}
	return given
}

func render(t *testing.T, given request) string {
	t.Helper()
	typ, err := Get(given.Type)
	if err != nil {
		t.Fatal(err)
	}
	if err := typ.Check(given.Config, given.Secrets); err != nil {
		t.Fatalf("the story's fields are not valid: %v", err)
	}
	secrets := map[string]string{}
	for _, name := range given.Secrets {
		secrets[name] = "${secret:" + name + "}"
	}
	text, err := yaml.Marshal(typ.Render(given.Config, secrets, given.Signals))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCheckSaysWhatIsValid(t *testing.T) {
	tests := map[string]struct {
		typ     string
		config  map[string]string
		secrets []string
		want    string
	}{
		"everything is right": {
			typ: "jaeger", config: map[string]string{"endpoint": "http://jaeger:4317"},
		},
		"a required field is missing": {
			typ: "debug",
		},
		"an unknown field lists the known ones": {
			typ: "jaeger", config: map[string]string{"endpoint": "http://jaeger:4317", "url": "x"},
			want: "url: unknown field of type jaeger; valid fields: endpoint, ca_pem",
		},
		"the endpoint is missing": {
			typ:  "jaeger",
			want: "endpoint: required. Address of Jaeger's OTLP/gRPC receiver, for example http://jaeger.observability:4317; http:// is without TLS.",
		},
		"an address needs its scheme": {
			typ: "jaeger", config: map[string]string{"endpoint": "jaeger:4317"},
			want: `endpoint: "jaeger:4317" is not valid: the scheme is missing: write http://jaeger:4317, or https://jaeger:4317 for TLS. Address of Jaeger's OTLP/gRPC receiver, for example http://jaeger.observability:4317; http:// is without TLS.`,
		},
		"a value outside of the enum lists the valid ones": {
			typ: "debug", config: map[string]string{"verbosity": "loud"},
			want: `verbosity: "loud" is not valid; valid values: basic, normal, detailed`,
		},
		"a secret does not belong into the config": {
			typ: "jaeger", config: map[string]string{"endpoint": "http://jaeger:4317", "token": "hunter2"},
			want: "token: it is secret: put it into the Secret that spec.secretRef names, not into spec.config",
		},
		"a name without its password": {
			typ: "loki", config: map[string]string{"endpoint": "http://loki", "username": "odi"},
			want: "password: username is set, and means nothing without it",
		},
		"a password without its name": {
			typ: "loki", config: map[string]string{"endpoint": "http://loki"}, secrets: []string{"password"},
			want: "username: password is set, and means nothing without it",
		},
		"two headers of one name": {
			typ: "otlphttp", config: map[string]string{"endpoint": "http://x", "header_name": "X-A", "header_name_2": "x-a"}, secrets: []string{"header_value", "header_value_2"},
			want: "header_name_2: the header x-a is sent already, by another field",
		},
		"a header that the password makes": {
			typ: "otlphttp", config: map[string]string{"endpoint": "http://x", "username": "odi"}, secrets: []string{"header_value", "password"},
			want: "header_name: the header authorization is sent already, by another field",
		},
		"a header that a token becomes": {
			typ: "otlphttp", config: map[string]string{"endpoint": "http://x", "oauth2_token_url": "http://y", "oauth2_client_id": "odi"},
			secrets: []string{"header_value", "oauth2_client_secret"},
			want:    "oauth2_token_url: the header authorization is sent already, by another field",
		},
		"a token endpoint without a client": {
			typ: "otlp", config: map[string]string{"endpoint": "http://x:1", "oauth2_token_url": "http://y"},
			want: "oauth2_client_id: oauth2_token_url is set, and means nothing without it",
		},
		"a client without a token endpoint": {
			typ: "otlp", config: map[string]string{"endpoint": "http://x:1"}, secrets: []string{"oauth2_client_secret"},
			want: "oauth2_token_url: oauth2_client_secret is set, and means nothing without it",
		},
		"a path where the paths are added": {
			typ: "oracle", config: map[string]string{"endpoint": "https://x.example.com/20200101/"}, secrets: []string{"data_key"},
			want: "endpoint: \"https://x.example.com/20200101/\" is not valid: leave /20200101/ away: the paths are added. Data upload endpoint of the APM domain, for example https://aaabbbb.apm-agt.us-phoenix-1.oci.oraclecloud.com; the paths are added.",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			typ, err := Get(tc.typ)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := typ.Check(tc.config, tc.secrets); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestAnUnknownTypeHasSimilarOnes(t *testing.T) {
	types := allTypes(t)
	for name, want := range map[string]string{
		"jaguar":          "did you mean jaeger? ",
		"honeycmb":        "did you mean honeycomb? ",
		"new-relic":       "did you mean newrelic? ",
		"New Relic":       "did you mean newrelic? ",
		"elastic":         "did you mean elasticapm or elasticcloud or elasticsearch? ",
		"otlp-http":       "did you mean otlphttp? ",
		"kafka":           "",
		"":                "",
		"\x00\xff{{}}":    "",
		"xxxxxxxxxxxxxxx": "",
	} {
		_, err := Get(name)
		want := fmt.Sprintf("unknown destination type %q; %sodi destination types lists all %d", name, want, len(types))
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestFind(t *testing.T) {
	for word, want := range map[string]string{
		"GRAFANA":   "alloy grafanacloud grafanacloudloki grafanacloudprometheus grafanacloudtempo lgtm loki mimir tempo",
		"victoria":  "victorialogs victoriametrics victoriametricscloud victoriatraces",
		"new relic": "newrelic", "testing": "debug", "no such": "",
	} {
		types, err := Find(word)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, typ := range types {
			names = append(names, typ.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}

func TestASignalThatTheTypeDoesNotTake(t *testing.T) {
	typ, err := Get("jaeger")
	if err != nil {
		t.Fatal(err)
	}
	got := typ.CheckSignals([]odiv1.Signal{odiv1.SignalTraces, odiv1.SignalLogs})
	want := "signals: type jaeger takes no logs; valid signals: traces"
	if got == nil || got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestARoomWithMistakesIsRefused(t *testing.T) {
	const good = "title: T\ncategory: c\ndocs: https://example.com\nsignals: [traces]\nexporters: [{type: debug, signals: [traces], config: {a: b}}]\n"
	tests := map[string]struct{ room, want string }{
		"a key that nobody reads":          {good + "icon: x\n", "unknown field"},
		"a place for a field that is not":  {strings.Replace(good, "a: b", "a: '{{nope}}'", 1), "mentions nope, which is not a field"},
		"an unknown filter":                {strings.Replace(good, "a: b", "a: '{{f|upper}}'", 1) + "fields: [{name: f, title: F, help: h}]\n", "unknown filter upper"},
		"a signal without an exporter":     {strings.Replace(good, "signals: [traces]\n", "signals: [traces, logs]\n", 1), "logs is served by 0 exporters"},
		"a default outside of the enum":    {good + "fields: [{name: f, title: F, help: h, default: x, enum: [a]}]\n", `"x" is not valid`},
		"a field name that is no env name": {good + "fields: [{name: my-f, title: F, help: h}]\n", "lower case letters, digits and underscores"},
		"a choice of a vendor's host":      {strings.Replace(good, "a: b", "endpoint: 'https://{{f}}'", 1) + "fields: [{name: f, title: F, help: h, format: host}]\n", "does not end in a vendor's domain"},
		"free text in an address":          {strings.Replace(good, "a: b", "endpoint: 'https://x.example.com/{{f}}'", 1) + "fields: [{name: f, title: F, help: h}]\n", "f is not of format host or path"},
		"a secret in an address":           {strings.Replace(good, "a: b", "endpoint: 'https://x.example.com/{{f}}'", 1) + "fields: [{name: f, title: F, help: h, secret: true, format: path}]\n", "f is secret, and addresses are printed"},
		"a key of any name":                {good + "fields: [{name: f, title: F, help: h, secret: true, format: key}]\n", "end in cert_pem and key_pem"},
		"a needless need":                  {good + "fields: [{name: f, title: F, help: h, needs: g}]\n", "needs g, which is not a field"},
		"no example of what is required":   {good + "fields: [{name: f, title: F, help: h, required: true}]\n", "a required field has an example"},
		"a name and password of what":      {strings.Replace(good, "a: b", "a: '{{f|basic}}'", 1) + "fields: [{name: f, title: F, help: h, secret: true}]\n", "needs a secret and a plain field for basic"},
		"no documentation":                 {strings.Replace(good, "https:", "ftp:", 1), "is not an https address"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse("room", []byte(tc.room))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want something with %q", err, tc.want)
			}
		})
	}
}
