package collectorconfig

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/peers"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func destination(namespace, name, kind string, config map[string]string) *odiv1.Destination {
	return &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-of-" + name)},
		Spec:       odiv1.DestinationSpec{Type: kind, Config: config},
	}
}

func laneOf(t *testing.T, d *odiv1.Destination, secrets ...string) Lane {
	t.Helper()
	values := map[string]string{}
	for _, name := range secrets {
		values[name] = "hunter2"
	}
	lane, err := LaneOf(d, "odi-system", values)
	if err != nil {
		t.Fatal(err)
	}
	return lane
}

func gateway(t *testing.T, lanes ...Lane) Config {
	t.Helper()
	c, err := Gateway(lanes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// examples are the configurations that the golden files hold.
func examples(t *testing.T) map[string]Config {
	t.Helper()
	endpoint := map[string]string{"endpoint": "https://otlp.example.com:4317"}
	return map[string]Config{
		"node":          Node("odi-gateway.odi-system:4317"),
		"gateway-empty": gateway(t),
		"gateway-two-of-one-type": gateway(t,
			laneOf(t, destination("odi-system", "first", "otlp", endpoint), "header_value"),
			laneOf(t, destination("odi-system", "second", "otlp", endpoint), "header_value")),
		"gateway-tenant-and-debug": gateway(t,
			laneOf(t, destination("shop", "jaeger", "jaeger", map[string]string{"endpoint": "http://jaeger.shop:4317"})),
			laneOf(t, destination("odi-system", "log", "debug", nil))),
	}
}

func TestConfigsAreAsTheGoldenFilesSay(t *testing.T) {
	for name, config := range examples(t) {
		t.Run(name, func(t *testing.T) {
			got, err := config.YAML()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestTheCollectorTakesEveryConfig(t *testing.T) {
	v := Validator{Binary: odicollector.Binary(t)}
	for name, config := range examples(t) {
		t.Run(name, func(t *testing.T) {
			if exporter, isNode := config.Exporters["otlp_grpc/gateway"].(object); isNode {
				exporter["tls"] = object{"insecure": true} // Its certificates are issued in a cluster.
			}
			if err := v.Validate(t.Context(), config); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheCollectorTakesEveryDestinationType(t *testing.T) {
	v := Validator{Binary: odicollector.Binary(t)}
	files, err := filepath.Glob("../../destinations/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories of destination types: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			story, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var given struct {
				Type    string            `json:"type"`
				Config  map[string]string `json:"config"`
				Secrets []string          `json:"secrets"`
				Signals []odiv1.Signal    `json:"signals"`
			}
			if err := yaml.UnmarshalStrict(story.Files[0].Data, &given); err != nil {
				t.Fatal(err)
			}
			if given.Config["ca_pem"] != "" {
				given.Config["ca_pem"] = peers.SelfSigned(t)
			}
			d := destination("odi-system", "d", given.Type, given.Config)
			d.Spec.Signals = given.Signals
			if err := v.Validate(t.Context(), gateway(t, laneOf(t, d, given.Secrets...))); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheCollectorsWordsReachTheUser(t *testing.T) {
	v := Validator{Binary: odicollector.Binary(t)}
	lane := laneOf(t, destination("odi-system", "bad", "otlp", map[string]string{"endpoint": "http://host:4317"}))
	lane.Exporters[0].Config["compression"] = "papyrus" // what odi itself would have refused
	err := v.Validate(t.Context(), gateway(t, lane))
	var invalid *InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(invalid.Message, `"papyrus"`) {
		t.Errorf("got %v, want the collector's complaint about the compression", err)
	}
}
