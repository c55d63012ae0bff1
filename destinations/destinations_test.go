package destinations

import (
	"flag"
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

func TestEveryTypeRendersAsItsStoriesSay(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			story, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			given := parseGiven(t, story)
			told[given.Type] = true
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
	types, err := Types()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range types {
		if !told[typ.Name] {
			t.Errorf("type %s has no story in testdata", typ.Name)
		}
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

func TestAnUnknownTypeListsTheKnownOnes(t *testing.T) {
	_, err := Get("jaguar")
	want := `unknown destination type "jaguar"; valid types: debug, jaeger, otlp, otlphttp`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
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
