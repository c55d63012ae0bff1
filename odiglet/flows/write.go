package flows

import (
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/flow"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/signal"
)

// other stands for the peers that are not told apart.
const other = "other"

// counter is a sum with what tells its points apart besides the series.
type counter struct {
	name, unit, description string
	points                  []point
}

type point struct {
	key, value string
	of         func(*flow.Sums) uint64
}

func single(of func(*flow.Sums) uint64) []point { return []point{{of: of}} }

// counters are written in this order.
func counters() []counter {
	var failures []point
	for i, reason := range flow.Failures() {
		failures = append(failures, point{telemetry.ErrorType, reason, func(s *flow.Sums) uint64 { return s.Failed[i] }})
	}
	const direction, out, in = telemetry.NetworkIODirection, "transmit", "receive"
	return []counter{
		{"odi.tcp.connections", "{connection}", "TCP connections that were established.", single(func(s *flow.Sums) uint64 { return s.Opened })},
		{"odi.tcp.failed_connects", "{connection}", "TCP connections that could not be established.", failures},
		{"odi.tcp.io", "By", "Bytes that TCP connections have carried, each once.", []point{
			{direction, out, func(s *flow.Sums) uint64 { return s.Sent }},
			{direction, in, func(s *flow.Sums) uint64 { return s.Received }},
		}},
		{"odi.tcp.resets", "{connection}", "TCP connections that were reset, by who did it.", []point{
			{direction, out, func(s *flow.Sums) uint64 { return s.ResetSent }},
			{direction, in, func(s *flow.Sums) uint64 { return s.ResetReceived }},
		}},
		{"odi.tcp.retransmits", "{segment}", "TCP segments that were sent again.", single(func(s *flow.Sums) uint64 { return s.Resent })},
		{"odi.tcp.timeouts", "{connection}", "TCP connections that the kernel gave up, because the peer did not answer any more.", single(func(s *flow.Sums) uint64 { return s.TimedOut })},
	}
}

// write returns the series of all streams.
func write(streams map[identity.Key]*stream, now time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for _, of := range slices.SortedFunc(maps.Keys(streams), identity.Key.Compare) {
		s := streams[of]
		metrics := signal.AppendScope(md, s.resource, telemetry.ScopeFlows)
		w := writer{stream: s, keys: slices.SortedFunc(maps.Keys(s.series), label.compare), now: now, to: metrics}
		for _, c := range counters() {
			w.sum(c)
		}
		w.roundTrips()
	}
	md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool { return rm.ScopeMetrics().At(0).Metrics().Len() == 0 })
	return md
}

// writer writes the series of one stream.
type writer struct {
	*stream
	keys []label
	now  time.Time
	to   pmetric.MetricSlice
}

// sum writes a counter; points that were never counted are left out.
func (w *writer) sum(c counter) {
	var to pmetric.NumberDataPointSlice
	begun := false
	for _, l := range w.keys {
		for _, p := range c.points {
			n := p.of(w.series[l])
			if n == 0 {
				continue
			}
			if !begun {
				begun = true
				m := signal.AppendMetric(w.to, c.name, c.unit, c.description)
				sum := m.SetEmptySum()
				sum.SetIsMonotonic(true)
				sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				to = sum.DataPoints()
			}
			dp := to.AppendEmpty()
			dp.SetStartTimestamp(pcommon.NewTimestampFromTime(w.start))
			dp.SetTimestamp(pcommon.NewTimestampFromTime(w.now))
			dp.SetIntValue(int64(n))
			l.put(dp.Attributes())
			if p.key != "" {
				dp.Attributes().PutStr(p.key, p.value)
			}
		}
	}
}

// roundTrips writes the histogram.
func (w *writer) roundTrips() {
	var to pmetric.HistogramDataPointSlice
	begun := false
	for _, l := range w.keys {
		s := w.series[l]
		var n uint64
		for _, c := range s.RTTs {
			n += c
		}
		if n == 0 {
			continue
		}
		if !begun {
			begun = true
			m := signal.AppendMetric(w.to, "odi.tcp.rtt", "s", "Round trips of TCP connections, as the kernel smooths them: one value when a connection ends, and one each collection while it moves bytes.")
			h := m.SetEmptyHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			to = h.DataPoints()
		}
		dp := to.AppendEmpty()
		dp.SetStartTimestamp(pcommon.NewTimestampFromTime(w.start))
		dp.SetTimestamp(pcommon.NewTimestampFromTime(w.now))
		dp.ExplicitBounds().FromRaw(flow.Seconds())
		dp.BucketCounts().FromRaw(s.RTTs[:])
		dp.SetCount(n)
		dp.SetSum(float64(s.RTTMicros) / 1e6)
		l.put(dp.Attributes())
	}
}

// put writes what tells the series apart.
func (l label) put(to pcommon.Map) {
	to.PutStr(telemetry.TCPRole, l.role.String())
	switch {
	case l.peer.IsValid():
		to.PutStr(telemetry.ServerAddress, l.peer.String())
	case l.role == flow.Client:
		to.PutStr(telemetry.ServerAddress, other)
	}
	if l.port != 0 {
		to.PutInt(telemetry.ServerPort, int64(l.port))
	}
}
