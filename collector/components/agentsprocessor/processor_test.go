package agentsprocessor

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/odi-dev/odi/collector/components/agentsextension"
)

// host has the extension alone.
type host struct {
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// node is a started extension that goes by a table.
func node(t *testing.T, table agentsextension.Table) *agentsextension.Extension {
	t.Helper()
	set := extension.Settings{ID: component.MustNewID("odi_agents"), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	made, err := agentsextension.NewFactory().Create(t.Context(), set, &agentsextension.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e := made.(*agentsextension.Extension)
	text, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPut, agentsextension.Path, strings.NewReader(string(text))))
	if w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	return e
}

// from is a request's context as the middleware makes it.
func from(t *testing.T, e *agentsextension.Extension, address string) (ctx context.Context) {
	t.Helper()
	wrap, err := e.GetHTTPHandler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	handler, err := wrap(t.Context(), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() }))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/traces", nil)
	r.RemoteAddr = address + ":4000"
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if ctx == nil {
		t.Fatalf("%s was not let in", address)
	}
	return ctx
}

func identity(name string) agentsextension.Identity {
	return agentsextension.Identity{
		Attributes: map[string]string{
			"k8s.namespace.name": "shop", "k8s.pod.uid": "cart-uid", "k8s.container.name": name, "host.name": "n",
			"service.name": name, "service.instance.id": "shop.cart." + name,
		},
		Lists: map[string][]string{"container.image.tags": {"1"}},
	}
}

func nodeOf(t *testing.T, signals []string, containers ...string) *agentsextension.Extension {
	t.Helper()
	all := map[string]agentsextension.Identity{}
	for _, name := range containers {
		all[name] = identity(name)
	}
	return node(t, agentsextension.Table{
		HostAddresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
		Pods: []agentsextension.Pod{
			{UID: "cart-uid", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.1")}, Signals: signals, Containers: all},
			{UID: "host-uid", HostNetwork: true, Signals: signals, Containers: map[string]agentsextension.Identity{"h": {Attributes: map[string]string{"k8s.namespace.name": "infra"}}}},
		},
	})
}

func tracesOf(t *testing.T, e *agentsextension.Extension, sink *consumertest.TracesSink) processor.Traces {
	t.Helper()
	set := processor.Settings{ID: component.MustNewID("odi_agents"), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	p, err := NewFactory().CreateTraces(t.Context(), set, &config{}, sink)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context(), host{map[component.ID]component.Component{component.MustNewID("odi_agents"): e}}); err != nil {
		t.Fatal(err)
	}
	return p
}

// claims is one server and one client span of a resource that says what it likes.
func claims(attributes map[string]any) ptrace.Traces {
	data := ptrace.NewTraces()
	rs := data.ResourceSpans().AppendEmpty()
	if err := rs.Resource().Attributes().FromRaw(attributes); err != nil {
		panic(err)
	}
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	spans.AppendEmpty().SetKind(ptrace.SpanKindServer)
	spans.AppendEmpty().SetKind(ptrace.SpanKindClient)
	return data
}

var everything = []string{"traces", "metrics", "logs"}

// TestWhatIsSentOfOneselfIsNotBelieved is a pod that claims another namespace's name.
func TestWhatIsSentOfOneselfIsNotBelieved(t *testing.T) {
	e, sink := nodeOf(t, everything, "app"), &consumertest.TracesSink{}
	err := tracesOf(t, e, sink).ConsumeTraces(from(t, e, "10.1.0.1"), claims(map[string]any{
		"k8s.namespace.name": "bank", "k8s.pod.uid": "host-uid", "k8s.deployment.name": "vault", "k8s.node.name": "other",
		"odi.config.hash": "x", "odi.hops": "a,b", "container.id": "y", "host.name": "z", "host.id": "q", "host.arch": "amd64",
		"service.instance.id": "random", "service.namespace": "bank", "service.name": "vault", "telemetry.sdk.language": "java", "app": "own",
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := sink.AllTraces()[0].ResourceSpans().At(0).Resource().Attributes().AsRaw()
	want := map[string]any{
		"k8s.namespace.name": "shop", "k8s.pod.uid": "cart-uid", "k8s.container.name": "app", "host.name": "n", "host.arch": "amd64",
		"service.name": "app", "service.instance.id": "shop.cart.app", "container.image.tags": []any{"1"},
		"odi.hops": "a,b", "telemetry.sdk.language": "java", "app": "own",
	}
	equal(t, want, got)
}

func equal(t *testing.T, want, got map[string]any) {
	t.Helper()
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(w) != string(g) {
		t.Errorf("want %s\ngot  %s", w, g)
	}
}

func TestWhichContainer(t *testing.T) {
	for name, tc := range map[string]struct {
		containers []string
		claimed    any
		want       any
	}{
		"the only one":              {containers: []string{"app"}, claimed: nil, want: "app"},
		"the only one, called else": {containers: []string{"app"}, claimed: "other", want: "app"},
		"one of two":                {containers: []string{"app", "side"}, claimed: "side", want: "side"},
		"a third of two":            {containers: []string{"app", "side"}, claimed: "third", want: nil},
		"what is no text":           {containers: []string{"app", "side"}, claimed: 7, want: nil},
	} {
		t.Run(name, func(t *testing.T) {
			e, sink := nodeOf(t, everything, tc.containers...), &consumertest.TracesSink{}
			sent := map[string]any{"k8s.namespace.name": "bank"}
			if tc.claimed != nil {
				sent["k8s.container.name"] = tc.claimed
			}
			if err := tracesOf(t, e, sink).ConsumeTraces(from(t, e, "10.1.0.1"), claims(sent)); err != nil {
				t.Fatal(err)
			}
			got := sink.AllTraces()[0].ResourceSpans().At(0).Resource().Attributes().AsRaw()
			if got["k8s.container.name"] != tc.want || got["k8s.namespace.name"] != "shop" {
				t.Errorf("the resource is %v", got)
			}
		})
	}
}

func TestWhoMayNotSend(t *testing.T) {
	e, sink := nodeOf(t, everything, "app"), &consumertest.TracesSink{}
	p := tracesOf(t, e, sink)
	for name, tc := range map[string]struct {
		ctx     context.Context
		claimed string
	}{
		"nobody knows whom":                              {t.Context(), "cart-uid"},
		"the node's network, without a claim":            {from(t, e, "10.0.0.1"), ""},
		"the node's network, as a pod that is not there": {from(t, e, "10.0.0.1"), "cart-uid"},
	} {
		t.Run(name, func(t *testing.T) {
			err := p.ConsumeTraces(tc.ctx, claims(map[string]any{"k8s.pod.uid": tc.claimed}))
			if status.Code(err) != codes.PermissionDenied {
				t.Errorf("answered %v", err)
			}
		})
	}
	if sink.SpanCount() != 0 {
		t.Errorf("%d spans got through", sink.SpanCount())
	}
	if err := p.ConsumeTraces(from(t, e, "10.0.0.1"), claims(map[string]any{"k8s.pod.uid": "host-uid"})); err != nil || sink.SpanCount() != 2 {
		t.Errorf("a pod of the node's network was refused: %v", err)
	}
}

// TestSignalsThatAreNotWanted end here, without an error that agents would log; the
// witness hears of them all the same.
func TestSignalsThatAreNotWanted(t *testing.T) {
	e, sink := nodeOf(t, []string{"metrics"}, "app"), &consumertest.TracesSink{}
	ctx := from(t, e, "10.1.0.1")
	if err := tracesOf(t, e, sink).ConsumeTraces(ctx, claims(nil)); err != nil || sink.SpanCount() != 0 {
		t.Errorf("traces: %v, %d spans", err, sink.SpanCount())
	}
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, agentsextension.Path, nil))
	if !strings.Contains(w.Body.String(), `{"cart-uid":{"app":1}}`) {
		t.Errorf("the witness says %s", w.Body)
	}
	set := processor.Settings{ID: component.MustNewID("odi_agents"), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	h := host{map[component.ID]component.Component{component.MustNewID("odi_agents"): e}}
	points, records := &consumertest.MetricsSink{}, &consumertest.LogsSink{}
	m, err := NewFactory().CreateMetrics(t.Context(), set, &config{}, points)
	if err != nil || m.Start(t.Context(), h) != nil {
		t.Fatal(err)
	}
	l, err := NewFactory().CreateLogs(t.Context(), set, &config{}, records)
	if err != nil || l.Start(t.Context(), h) != nil {
		t.Fatal(err)
	}
	md, ld := pmetric.NewMetrics(), plog.NewLogs()
	md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	if err := m.ConsumeMetrics(ctx, md); err != nil || points.DataPointCount() != 1 {
		t.Errorf("metrics: %v, %d points", err, points.DataPointCount())
	}
	if err := l.ConsumeLogs(ctx, ld); err != nil || records.LogRecordCount() != 0 {
		t.Errorf("logs: %v, %d records", err, records.LogRecordCount())
	}
}
