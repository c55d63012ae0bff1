package red

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/signal"
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
			r.recent = recent{}
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
	metrics := signal.AppendScope(md, in.resource, telemetry.ScopeRED)
	for _, i := range in.instruments() {
		r.collectInstrument(metrics, in, i, now)
	}
}

// instruments are those of the stream's series, by name.
func (in *stream) instruments() []*probe.Instrument {
	all := make(map[*probe.Instrument]bool)
	for _, s := range in.series {
		all[s.instrument] = true
	}
	for i := range in.overflow {
		all[i] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b *probe.Instrument) int { return strings.Compare(a.Name, b.Name) })
}

// column is one of the histograms that the series of an instrument have.
type column struct {
	name, unit, description string
	bounds                  []float64
	of                      func(*series) *histogram
	exemplars               bool // the points have them
}

// columns are those of an instrument.
func (r *Recorder) columns(i *probe.Instrument) []column {
	all := []column{{i.Name, "s", i.Description, r.bounds.durations, func(s *series) *histogram { return &s.durations }, true}}
	if b := i.RequestBody; b != nil {
		all = append(all, column{b.Name, "By", b.Description, r.bounds.sizes, func(s *series) *histogram { return &s.requests }, false})
	}
	if b := i.ResponseBody; b != nil {
		all = append(all, column{b.Name, "By", b.Description, r.bounds.sizes, func(s *series) *histogram { return &s.responses }, false})
	}
	return all
}

func (r *Recorder) collectInstrument(to pmetric.MetricSlice, in *stream, i *probe.Instrument, now time.Time) {
	keys := slices.Sorted(maps.Keys(in.series)) // an order that stays
	for _, c := range r.columns(i) {
		var h pmetric.Histogram
		begun := false
		put := func(s *series) pcommon.Map {
			if !begun {
				h, begun = c.begin(to), true
			}
			p := c.point(h, c.of(s), in.start, now)
			if c.exemplars {
				s.exemplars.take(p.Exemplars())
			}
			return p.Attributes()
		}
		for _, key := range keys {
			if s := in.series[key]; s.instrument == i && c.of(s).n > 0 {
				putLabels(put(s), s.labels)
			}
		}
		if others, ok := in.overflow[i]; ok && c.of(others).n > 0 {
			put(others).PutBool(telemetry.MetricOverflow, true)
		}
	}
}

// begin adds the metric.
func (c column) begin(to pmetric.MetricSlice) pmetric.Histogram {
	h := signal.AppendMetric(to, c.name, c.unit, c.description).SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return h
}

func (c column) point(to pmetric.Histogram, h *histogram, start, now time.Time) pmetric.HistogramDataPoint {
	p := to.DataPoints().AppendEmpty()
	p.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	p.SetTimestamp(pcommon.NewTimestampFromTime(latest(now, start)))
	p.ExplicitBounds().FromRaw(c.bounds)
	p.BucketCounts().FromRaw(h.counts)
	p.SetCount(h.n)
	p.SetSum(h.sum)
	p.SetMin(h.min)
	p.SetMax(h.max)
	return p
}

func putLabels(to pcommon.Map, labels []probe.Attribute) {
	for _, a := range labels {
		if a.IsNumber {
			to.PutInt(a.Key, a.Number)
			continue
		}
		to.PutStr(a.Key, a.Text)
	}
}
