package instrumentor

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
	"github.com/odi-dev/odi/internal/workload"
)

var update = flag.Bool("update", false, "write what the golden files want")

// short is a decision as the goldens write it.
type short struct {
	Containers []struct {
		Name, Agent, Runtime, Libc string
		Environment                []string
	}
	Signals  []odiv1.Signal
	Delivery Delivery
	Address  string
	Canary   string
	Sampling string
}

func (s short) decision() Decision {
	d := Decision{
		Workload: workload.Reference{Namespace: "shop", Kind: odiv1.KindDeployment, Name: "cart"},
		Signals:  s.Signals, Delivery: s.Delivery, Canary: s.Canary, Sampling: s.Sampling, Endpoint: EndpointIn("odi-system", s.Address),
	}
	for _, c := range s.Containers {
		d.Containers = append(d.Containers, Container{
			Name: c.Name, Environment: c.Environment, Runtime: odiv1.Runtime{Version: c.Runtime, Libc: c.Libc},
			Agent: odiv1.AgentReference{Language: c.Agent, Version: "1.0.0-odi.1", Image: Image("example.test", c.Agent, "1.0.0-odi.1")},
		})
	}
	return d
}

// TestInject tries every golden, and injects once more, which must change nothing.
func TestInject(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d goldens (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil || len(archive.Files) != 3 {
				t.Fatalf("%s: %d files, %v", file, len(archive.Files), err)
			}
			var s short
			if err := yaml.UnmarshalStrict(archive.Files[1].Data, &s); err != nil {
				t.Fatal(err)
			}
			pod, err := yaml.YAMLToJSON(archive.Files[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			after, result := injected(t, pod, s.decision())
			again, second := injected(t, after, s.decision())
			if string(again) != string(after) || len(second.Patch) > 0 {
				t.Errorf("the second time it changed %v", second.Patch)
			}
			if diff := cmp.Diff(result.Agents, second.Agents); diff != "" {
				t.Errorf("the second time it has other agents:\n%s", diff)
			}
			got := shown(t, after, result)
			if *update {
				archive.Files[2].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[2].Data), got); diff != "" {
				t.Errorf("%s(-want +got)\n%s", archive.Comment, diff)
			}
		})
	}
}

func injected(t *testing.T, pod []byte, d Decision) ([]byte, Result) {
	t.Helper()
	result, err := Inject(pod, d)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Apply(pod, result.Patch)
	if err != nil {
		t.Fatal(err)
	}
	return after, result
}

func shown(t *testing.T, pod []byte, r Result) string {
	t.Helper()
	text, err := yaml.JSONToYAML(pod)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, s := range r.Skips {
		b.WriteString("# " + s.Container + ": " + s.Reason + ": " + s.Message + "\n")
	}
	return b.String() + string(text)
}

// TestInjectTakesNoNonsense: what is no pod is an error or a skip, never a patch.
func TestInjectTakesNoNonsense(t *testing.T) {
	d := short{}.decision()
	d.Containers = []Container{{Name: "app", Agent: odiv1.AgentReference{Language: "java", Version: "1", Image: "a"}}}
	for _, text := range []string{"", "{", "null", "[]", "3", "{}", `{"spec":null}`, `{"spec":{}}`, `{"spec":{"containers":null}}`, `{"spec":{"containers":[]}}`,
		`{"spec":{"containers":{}}}`, `{"spec":{"containers":[{"name":"app","env":3}]}}`, `{"Spec":{"Containers":[{"name":"app"}]}}`} {
		r, err := Inject([]byte(text), d)
		if len(r.Patch) > 0 || err == nil && len(r.Skips) == 0 {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
	for name, agent := range map[string]odiv1.AgentReference{
		"no version":        {Language: "java", Image: "a"},
		"a path as version": {Language: "java", Version: "../../etc", Image: "a"},
		"no image":          {Language: "java", Version: "1"},
		"an image of space": {Language: "java", Version: "1", Image: " a"},
	} {
		d.Containers[0].Agent = agent
		r, err := Inject([]byte(`{"spec":{"containers":[{"name":"app"}]}}`), d)
		if err != nil || len(r.Skips) != 1 || r.Skips[0].Reason != SkipBadAgent {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

// TestNamesOfVolumes holds that two versions never share a volume, and that each name is one that Kubernetes takes.
func TestNamesOfVolumes(t *testing.T) {
	long := strings.Repeat("1", 63)
	seen := map[string]string{}
	for _, version := range []string{"1.0", "1.0-odi.1", "1.0.odi.1", "1.0_odi.1", "1.0-ODI.1", long, long[:62] + "2"} {
		name := volumeName(odiv1.AgentReference{Language: "java", Version: version})
		if len(name) > 63 || notOfNames.MatchString(strings.ReplaceAll(name, "-", "")) {
			t.Errorf("%s is no name", name)
		}
		if other, taken := seen[name]; taken && other != "1.0-odi.1" { // A dash for a dot is no version of ours.
			t.Errorf("%s and %s share %s", version, other, name)
		}
		seen[name] = version
	}
}
