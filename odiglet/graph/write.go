package graph

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/signal"
)

// The metrics have the names by which Prometheus has those of Tempo and of the servicegraph connector.
const (
	requestTotal  = "traces_service_graph_request_total"
	failedTotal   = "traces_service_graph_request_failed_total"
	clientSeconds = "traces_service_graph_request_client_seconds"
	serverSeconds = "traces_service_graph_request_server_seconds"
)

func (e edge) compare(o edge) int {
	return cmp.Or(compare(e.client, o.client), compare(e.server, o.server), strings.Compare(e.connection, o.connection))
}

func compare(a, b identity.Party) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Namespace, b.Namespace))
}

// write returns the edges of all streams.
func write(streams map[identity.Key]*stream, bounds []float64, now time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for _, of := range slices.SortedFunc(maps.Keys(streams), identity.Key.Compare) {
		s := streams[of]
		if len(s.edges) == 0 {
			continue
		}
		metrics := signal.AppendScope(md, s.resource, telemetry.ScopeGraph)
		w := writer{stream: s, edges: slices.SortedFunc(maps.Keys(s.edges), edge.compare), bounds: bounds, now: now, to: metrics}
		w.sum(requestTotal, "Requests between two nodes.", func(s *series) uint64 { return s.requests })
		w.sum(failedTotal, "Requests between two nodes that have failed.", func(s *series) uint64 { return s.failed })
		w.histogram(clientSeconds, "Duration of requests between two nodes, as the client saw it.", func(s *series) *histogram { return &s.client })
		w.histogram(serverSeconds, "Duration of requests between two nodes, as the server saw it.", func(s *series) *histogram { return &s.server })
	}
	return md
}

// writer writes the edges of one stream.
type writer struct {
	*stream
	edges  []edge
	bounds []float64
	now    time.Time
	to     pmetric.MetricSlice
}

// sum writes a counter of the edges whose requests are counted here; it is 0 where none has failed.
func (w *writer) sum(name, description string, of func(*series) uint64) {
	var to pmetric.Sum
	begun := false
	for _, e := range w.edges {
		s := w.stream.edges[e]
		if s.requests == 0 {
			continue
		}
		if !begun {
			to, begun = signal.AppendMetric(w.to, name, "{request}", description).SetEmptySum(), true
			to.SetIsMonotonic(true)
			to.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		}
		p := to.DataPoints().AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(w.start))
		p.SetTimestamp(pcommon.NewTimestampFromTime(w.now))
		p.SetIntValue(int64(of(s)))
		e.put(p.Attributes())
	}
}

func (w *writer) histogram(name, description string, of func(*series) *histogram) {
	var to pmetric.Histogram
	begun := false
	for _, e := range w.edges {
		h := of(w.stream.edges[e])
		if h.n == 0 {
			continue
		}
		if !begun {
			to, begun = signal.AppendMetric(w.to, name, "s", description).SetEmptyHistogram(), true
			to.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		}
		p := to.DataPoints().AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(w.start))
		p.SetTimestamp(pcommon.NewTimestampFromTime(w.now))
		p.ExplicitBounds().FromRaw(w.bounds)
		p.BucketCounts().FromRaw(h.counts)
		p.SetCount(h.n)
		p.SetSum(h.sum)
		e.put(p.Attributes())
	}
}

// put writes the labels. What is not known of an end is left out; connection_type is there always, as
// queries ask for it.
func (e edge) put(to pcommon.Map) {
	putParty(to, "client", e.client)
	putParty(to, "server", e.server)
	to.PutStr("connection_type", e.connection)
}

func putParty(to pcommon.Map, end string, p identity.Party) {
	to.PutStr(end, p.Name)
	if p.Namespace == "" {
		return
	}
	to.PutStr(end+"_service_namespace", p.Namespace)
	if p.Cluster {
		to.PutStr(end+"_k8s_namespace_name", p.Namespace)
	}
}
