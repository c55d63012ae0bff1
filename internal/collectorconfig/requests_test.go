package collectorconfig

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/peers"
)

// TestEveryTypeSendsWhatItsBackendDocuments sends a span, a metric and a log record
// through a gateway that has every type with all of its fields. Hosts are replaced by
// receivers of this test, which take TLS where the type has it; the golden file has
// what came: method, path, encoding, compression and headers.
func TestEveryTypeSendsWhatItsBackendDocuments(t *testing.T) {
	const golden = "testdata/requests.txt"
	r := newRecorder(t)
	all := samples(t, true)
	var lanes []Lane
	want := 0
	for _, s := range all {
		for _, e := range s.lane.Exporters {
			if !e.Local {
				r.redirect(e.Config, s.typ.Name)
				want += len(e.Signals)
			}
		}
		lanes = append(lanes, s.lane)
	}
	g := startGateway(t, secretsOf(all), lanes...)
	g.sendEverySignal(t)
	testkit.Eventually(t, 60*time.Second, "every type has sent what it takes", func() bool { return r.count() >= want })
	got := r.text()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(content), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// sendEverySignal sends one item of each.
func (g *liveGateway) sendEverySignal(t *testing.T) {
	t.Helper()
	as := peers.Credentials(t, g.hop.Client(t), "client", "gateway.crt", gatewayHost)
	connection, err := grpc.NewClient(g.otlp, grpc.WithTransportCredentials(as))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	metrics := pmetric.NewMetrics()
	metric := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("requests")
	metric.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
	for signal, send := range map[string]func() error{
		"traces": func() error {
			_, err := ptraceotlp.NewGRPCClient(connection).Export(t.Context(), claim("shop", 1))
			return err
		},
		"metrics": func() error {
			_, err := pmetricotlp.NewGRPCClient(connection).Export(t.Context(), pmetricotlp.NewExportRequestFromMetrics(metrics))
			return err
		},
		"logs": func() error {
			_, err := plogotlp.NewGRPCClient(connection).Export(t.Context(), plogotlp.NewExportRequestFromLogs(logs))
			return err
		},
	} {
		testkit.Eventually(t, 20*time.Second, "the gateway takes "+signal, func() bool { return send() == nil })
	}
}

// host is that of an address.
var host = regexp.MustCompile(`^(https?)://[^/]+`)

// laneHeader tells the recorder whose request it is.
const laneHeader = "x-lane"

// redirect has an exporter send to the recorder.
func (r *recorder) redirect(config map[string]any, lane string) {
	grpc := config["middlewares"] != nil
	for key, value := range config {
		text, _ := value.(string)
		if key != "endpoint" && !strings.HasSuffix(key, "_endpoint") {
			continue
		}
		config[key] = host.ReplaceAllStringFunc(text, func(found string) string {
			scheme, _, _ := strings.Cut(found, ":")
			return scheme + "://" + r.address(grpc, scheme == "https")
		})
	}
	headers, _ := config["headers"].(map[string]any)
	headers = maps.Clone(headers)
	if headers == nil {
		headers = map[string]any{}
	}
	headers[laneHeader] = lane
	config["headers"] = headers
	tls, _ := config["tls"].(map[string]any)
	tls = maps.Clone(tls)
	if tls == nil {
		tls = map[string]any{}
	}
	if tls["insecure"] != true { // With an authority it would be TLS all the same.
		tls["ca_pem"] = r.certificate
	}
	config["tls"] = tls
}

// unsaid are headers that every request of a protocol has.
var unsaid = []string{":authority", "accept-encoding", "content-encoding", "content-length", "content-type", "user-agent", laneHeader}

// line is one request for people.
func line(lane, signal, what string, headers map[string][]string) string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if lower := strings.ToLower(name); !slices.Contains(unsaid, lower) && !strings.HasPrefix(lower, "grpc-") {
			said = append(said, lower+"="+strings.Join(headers[name], ","))
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s: %s %s", lane, signal, what, strings.Join(said, " ")))
}
