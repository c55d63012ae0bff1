package red

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet/identity"
)

// Collect returns all series as cumulative histograms, and lets go of the
// streams that have ended.
func (r *Recorder) Collect(now time.Time) pmetric.Metrics {
	r.mu.Lock()
	defer r.mu.Unlock()
	md := pmetric.NewMetrics()
	for _, s := range r.ended {
		r.collectStream(md, s, now)
	}
	r.ended = nil
	for _, of := range slices.SortedFunc(maps.Keys(r.streams), identity.Key.Compare) {
		s := r.streams[of]
		r.collectStream(md, s, now)
		if s.gone {
			delete(r.streams, of)
		}
	}
	// Strictly later than before, whatever the clock does: a start time must not
	// come again.
	r.since = latest(now, r.since.Add(1))
	return md
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (r *Recorder) collectStream(md pmetric.Metrics, in *stream, now time.Time) {
	if len(in.series) == 0 {
		return
	}
	rm := md.ResourceMetrics().AppendEmpty()
	in.resource.CopyTo(rm.Resource())
	rm.SetSchemaUrl(telemetry.SchemaURL)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(telemetry.ScopeRED)
	sm.Scope().SetVersion(version.Version)
	sm.SetSchemaUrl(telemetry.SchemaURL)
	for kind, name := range map[Kind]string{
		Server: telemetry.HTTPServerRequestDuration,
		Client: telemetry.HTTPClientRequestDuration,
	} {
		r.collectKind(sm.Metrics(), in, kind, name, now)
	}
	sm.Metrics().Sort(func(a, b pmetric.Metric) bool { return a.Name() < b.Name() })
}

func (r *Recorder) collectKind(to pmetric.MetricSlice, in *stream, kind Kind, name string, now time.Time) {
	var of []Request
	for req := range in.series {
		if req.Kind == kind {
			of = append(of, req)
		}
	}
	if len(of) == 0 && in.overflow[kind].n == 0 {
		return
	}
	slices.SortFunc(of, func(a, b Request) int { return strings.Compare(sortKey(a), sortKey(b)) })
	m := to.AppendEmpty()
	m.SetName(name)
	m.SetUnit("s")
	m.SetDescription("Duration of HTTP " + kindWord(kind) + " requests.")
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for _, req := range of {
		p := r.point(h, in.series[req], in.start, now)
		attributes(p.Attributes(), req)
	}
	if in.overflow[kind].n > 0 {
		p := r.point(h, &in.overflow[kind], in.start, now)
		p.Attributes().PutBool(telemetry.MetricOverflow, true)
	}
}

func (r *Recorder) point(to pmetric.Histogram, h *histogram, start, now time.Time) pmetric.HistogramDataPoint {
	p := to.DataPoints().AppendEmpty()
	p.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	p.SetTimestamp(pcommon.NewTimestampFromTime(latest(now, start)))
	p.ExplicitBounds().FromRaw(r.bounds)
	p.BucketCounts().FromRaw(h.counts)
	p.SetCount(h.n)
	p.SetSum(h.sum)
	p.SetMin(h.min)
	p.SetMax(h.max)
	return p
}

func attributes(to pcommon.Map, req Request) {
	to.PutStr(telemetry.HTTPRequestMethod, req.Method)
	putIf(to, telemetry.URLScheme, req.Scheme)
	putIf(to, telemetry.HTTPRoute, req.Route)
	putIf(to, telemetry.ErrorType, req.ErrorType)
	if req.Status != 0 {
		to.PutInt(telemetry.HTTPResponseStatusCode, int64(req.Status))
	}
	putIf(to, telemetry.ServerAddress, req.Server)
	if req.Port != 0 {
		to.PutInt(telemetry.ServerPort, int64(req.Port))
	}
}

func putIf(to pcommon.Map, key, value string) {
	if value != "" {
		to.PutStr(key, value)
	}
}

func kindWord(k Kind) string {
	if k == Server {
		return "server"
	}
	return "client"
}

// sortKey puts the series of one metric in an order that stays.
func sortKey(r Request) string {
	return strings.Join([]string{r.Method, r.Route, strconv.Itoa(r.Status), r.ErrorType, r.Server, strconv.Itoa(r.Port), r.Scheme}, "\x00")
}
