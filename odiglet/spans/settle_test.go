package spans

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/signal"
)

// anExport is the request by which an agent sends what it has.
func anExport(pid uint32) probe.Exchange {
	x := request(pid, "/v1/traces")
	x.Kind = probe.Client
	x.Peer = netip.MustParseAddrPort("10.0.0.7:4318")
	x.RequestHead = []byte("POST /v1/traces HTTP/1.1\r\nHost: odi-agents.odi-system.svc:4318\r\n\r\n")
	return x
}

func TestExports(t *testing.T) {
	for _, tc := range []struct {
		kind probe.Kind
		path string
		port int
		want bool
	}{
		{probe.Client, "/v1/traces", 4318, true},
		{probe.Client, "/v1/traces", 80, false},
		{probe.Client, "/v1/orders", 4318, false},
		{probe.Client, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", 4317, true},
		{probe.Client, "/opentelemetry.proto.shop.Orders/Export", 4317, false},
		{probe.Server, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", 4317, false},
	} {
		span := probe.Span{Path: probe.Path{Text: tc.path}, Port: tc.port}
		if got := isExport(&probe.Exchange{Kind: tc.kind}, &span); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

// TestWhoeverReportsASpanReportsItsMetric has requests that are held, and then reported
// or left: as spans and in the metrics alike.
func TestWhoeverReportsASpanReportsItsMetric(t *testing.T) {
	for name, tc := range map[string]struct {
		then     func(*handover.Process)
		spans    int
		measured uint64
		dropped  map[loss.Name]uint64
	}{
		"they wait": {then: func(*handover.Process) {}, dropped: map[loss.Name]uint64{loss.AgentReported: 1}},
		"the agent has them": {
			then:    func(p *handover.Process) { p.Marked(odiv1.AgentAlive); p.Vouch() },
			dropped: map[loss.Name]uint64{loss.AgentReported: 4, loss.IgnoredPath: 1},
		},
		"there is no agent": {
			then: func(p *handover.Process) { p.Marked(odiv1.AgentFailed) }, spans: 3, measured: 4,
			dropped: map[loss.Name]uint64{loss.AgentReported: 1, loss.IgnoredPath: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := someOrigin()
			o.Service.InstanceID, o.Agent, o.Filter.Ignored = "a", true, []string{"/quiet"}
			o.Handover = handover.New(map[string]string{"ODI_AGENT": "java@1"}, new(handover.Room))
			accounts, recorder, sink := books.New(), red.NewRecorder(time.Now()), &keeper{}
			recorder.Add(o.Service.Key(), o.Resource)
			p := New(Options{Origins: origins{1: o}, Recorder: recorder, Books: accounts, Routes: routes.NewBook(), Protocols: rooms(), Sink: sink})
			for _, x := range []probe.Exchange{request(1, "/1"), request(1, "/quiet"), request(1, "/2"), anExport(1)} {
				head := x.RequestHead
				p.Handle(&x)
				clear(head) // the engine's memory is another request's by then
			}
			tc.then(o.Handover)
			if o.Handover.State() != odiv1.AgentPending {
				plain := request(1, "/3")
				p.Handle(&plain)
			}
			p.Flush()
			spans := 0
			for _, b := range sink.batches {
				td, err := signal.ReadTraces(b)
				if err != nil {
					t.Fatal(err)
				}
				spans += td.SpanCount()
			}
			if spans != tc.spans {
				t.Errorf("%d spans, want %d", spans, tc.spans)
			}
			if diff := cmp.Diff(tc.dropped, accounts.Balance(nil).Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
			var measured uint64
			for _, rm := range recorder.Collect(time.Now()).ResourceMetrics().All() {
				for _, point := range rm.ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().All() {
					if method, _ := point.Attributes().Get("http.request.method"); method.Str() != "GET" {
						t.Errorf("what was measured is of the method %q", method.Str())
					}
					measured += point.Count()
				}
			}
			if measured != tc.measured {
				t.Errorf("%d were measured, want %d", measured, tc.measured)
			}
		})
	}
}
