package answer_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
	"github.com/odi-dev/odi/internal/answer"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// asking is one destination that is asked by the real collector, from the very
// configuration that the gateway would have.
type asking struct {
	kind    string
	config  map[string]string
	secrets map[string]string
	// to is where a type sends whose address is the vendor's own.
	to string
	// locked leaves loopback forbidden, as it is in a cluster.
	locked bool
}

func (a asking) destination() *odiv1.Destination {
	d := &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "backend", UID: types.UID("6f1f0c6e-7a3c-4a63-9d4e-0c7a3f1b2d11"), Generation: 3},
		Spec:       odiv1.DestinationSpec{Type: a.kind, Config: a.config},
	}
	if len(a.secrets) > 0 {
		d.Spec.SecretRef = &odiv1.SecretReference{Name: "key"}
	}
	return d
}

// files writes what a gateway with this one destination has.
func (a asking) files(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	d := a.destination()
	lane, err := collectorconfig.LaneOf(d, "odi-system", a.secrets)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range lane.Exporters {
		for key := range e.Config {
			if a.to != "" && strings.HasSuffix(key, "endpoint") {
				e.Config[key] = a.to
			}
		}
	}
	config, err := collectorconfig.Gateway([]collectorconfig.Lane{lane})
	if err != nil {
		t.Fatal(err)
	}
	text, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"config.yaml": text, "clients.crt": "the gateway's own"}
	for field, secret := range a.secrets {
		files[collectorconfig.CredentialKey(d, field)] = secret
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ask returns what the collector prints, to the byte.
func (a asking) ask(t *testing.T) (stdout, stderr string, err error) {
	t.Helper()
	dir := a.files(t)
	cmd := program.CommandContext(t.Context(), t, odicollector.Binary(t), "ask", "--destination=odi-system/backend",
		"--config=live:"+filepath.Join(dir, "config.yaml"))
	cmd.Env = []string{"ODI_CREDENTIALS_DIR=" + dir, "HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1"}
	if !a.locked {
		cmd.Env = append(cmd.Env, "ODI_ALLOW_ADDRESSES=127.0.0.1/32")
	}
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), problems.String(), err
}

// findings are what odi makes of the answers.
func (a asking) findings(t *testing.T) (answer.Report, []answer.Finding) {
	t.Helper()
	stdout, stderr, err := a.ask(t)
	if err != nil || stderr != "" {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	var report answer.Report
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields() // The collector's own types are in another module.
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	typ, err := destinations.Get(a.kind)
	if err != nil {
		t.Fatal(err)
	}
	endpoint := a.to
	if endpoint == "" {
		endpoint = a.config["endpoint"]
	}
	return report, answer.Explain(report.Answers, answer.About{
		Name: "backend", Type: typ, Config: a.config, Secret: len(a.secrets) > 0, Endpoint: endpoint,
	})
}

// otlphttp is the generic type over HTTP, otlp over gRPC.
func otlphttp(endpoint string) asking {
	return asking{kind: "otlphttp", config: map[string]string{"endpoint": endpoint}}
}

func otlp(endpoint string) asking {
	return asking{kind: "otlp", config: map[string]string{"endpoint": endpoint}}
}

func (a asking) with(config, secrets map[string]string) asking {
	a.config = maps.Clone(a.config)
	maps.Copy(a.config, config)
	a.secrets = secrets
	return a
}

// seeded are secrets of every kind that people have, by what is odd in them.
func seeded() map[string]string {
	return map[string]string{
		"plain": "hunter2-4f6a2b91c3", "dollar and braces": "${env:HOME}$$x", "quotes": `a"b'c\d`, "spaces": "two words here",
		"markup": "<key>&amp;</key>", "long": strings.Repeat("k3y-", 1000), "base64 of its own": "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "percent": "100%25/sure?",
		"short": "xyzzy",
	}
}

// forms are those in which a server may say a secret again.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret)
	return slices.Compact([]string{secret, url.QueryEscape(secret), url.PathEscape(secret), string(quoted[1 : len(quoted)-1])})
}
