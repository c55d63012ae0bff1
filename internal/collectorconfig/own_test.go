package collectorconfig

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/peers"
)

// TestAlertsAreMadeOfWhatCollectorsSay has real collectors send, wait, refuse and lose, and reads of them
// what a Prometheus server would.
func TestAlertsAreMadeOfWhatCollectorsSay(t *testing.T) {
	alive, dead := newBackend(t), newBackend(t)
	alive.start(t)
	refusing := &backend{address: loopback.Address(t), server: grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		return status.Error(codes.InvalidArgument, "never")
	}))}
	serve(t, refusing)
	small := laneTo(t, "odi-system", "dead", dead)
	small.Queue = 1 << 20
	g := startGateway(t, nil, laneTo(t, "odi-system", "alive", alive), laneTo(t, "odi-system", "refusing", refusing), small)
	points := pmetricotlp.NewGRPCClient(g.connect(t, peers.Credentials(t, g.hop.Client(t), "client", "gateway.crt", gatewayHost)))
	c := startChain(t)

	var missing []string
	testkit.Eventually(t, time.Minute, "everything has been said; the rest is in the log", func() bool {
		for range 50 { // Some of it is refused, that is what the test is about.
			_, _ = g.sender.Export(t.Context(), claim("shop", 1000))
			_, _ = points.Export(t.Context(), manyPoints())
		}
		_, _ = c.node.sendFrom(t, "127.0.0.7", agentClaim(t, "shop", "cart-1", 7), protobuf)
		said := g.page(t) + c.node.page(t)
		missing = slices.DeleteFunc(OwnMetrics(), func(name string) bool {
			return strings.Contains(said, "\n"+name+"{") || strings.Contains(said, "\n"+name+" ")
		})
		t.Log("not yet said:", missing)
		return len(missing) == 0
	})
}

// manyPoints are gauges of one workload.
func manyPoints() pmetricotlp.ExportRequest {
	data := pmetric.NewMetrics()
	rm := data.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("k8s.namespace.name", "shop")
	points := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	points.SetName("requests")
	gauge := points.SetEmptyGauge()
	for i := range 1000 {
		gauge.DataPoints().AppendEmpty().SetIntValue(int64(i))
	}
	return pmetricotlp.NewExportRequestFromMetrics(data)
}

// page is what a Prometheus server gets of it; in OpenMetrics names could differ.
func (l live) page(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.metrics+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }() // It is read to its end.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return "\n" + string(body)
}
