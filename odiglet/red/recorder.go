package red

import (
	"encoding/binary"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/identity"
)

const (
	// MaxSeries bounds the series of one service instance; what exceeds it is
	// counted in one series per instrument that carries otel.metric.overflow.
	MaxSeries = 2000
	// maxServers bounds the addresses that clients of one service are told
	// apart by, so that a crawler does not use up all its series.
	maxServers = 200
	// otherServer stands for the addresses beyond maxServers.
	otherServer = "other"
)

// Measurement is what is measured of one request.
type Measurement struct {
	Instrument *probe.Instrument
	// Labels are the attributes that are labels; others among them do not count.
	Labels []probe.Attribute
	Took   time.Duration
	// Request and Response are the sizes of the bodies; negative where they are not known.
	Request, Response int64
	// Tally is of several requests, whose times and sizes are there; nil: it is one.
	Tally *probe.Tally
	// Span is the request's own where it is exported, for the exemplars of the durations.
	Span SpanContext
}

// SpanContext says which span it is, and when it ended. The zero value is none.
type SpanContext struct {
	Trace pcommon.TraceID
	Span  pcommon.SpanID
	End   time.Time
}

// Clone returns a measurement that holds nothing of the head that it was read from.
func (m Measurement) Clone() Measurement {
	m.Labels = labelsOf(m.Labels)
	return m
}

// labelsOf copies the labels among attributes.
func labelsOf(attributes []probe.Attribute) []probe.Attribute {
	var labels []probe.Attribute
	for _, a := range attributes {
		if a.IsLabel {
			a.Text = strings.Clone(a.Text)
			labels = append(labels, a)
		}
	}
	return labels
}

// series are the requests of one instrument that have the same labels.
type series struct {
	instrument *probe.Instrument
	labels     []probe.Attribute
	durations  histogram
	// sizes of bodies
	requests, responses histogram
	exemplars           exemplars // of the durations
}

func (s *series) add(m *Measurement, b *bounds) {
	if m.Tally != nil {
		s.addTally(m.Tally, b)
		return
	}
	took := m.Took.Seconds()
	bucket := s.durations.add(took, b.durations)
	if !m.Span.Trace.IsEmpty() {
		s.exemplars.put(bucket, took, m.Span)
	}
	if s.instrument.RequestBody != nil && m.Request >= 0 {
		s.requests.add(float64(m.Request), b.sizes)
	}
	if s.instrument.ResponseBody != nil && m.Response >= 0 {
		s.responses.add(float64(m.Response), b.sizes)
	}
}

// bounds are those of the buckets.
type bounds struct {
	durations, sizes []float64
}

// histogram counts values per bucket.
type histogram struct {
	counts []uint64
	sum    float64
	min    float64
	max    float64
	n      uint64
}

// add returns the value's bucket.
func (h *histogram) add(value float64, bounds []float64) int {
	if h.counts == nil {
		h.counts = make([]uint64, len(bounds)+1)
	}
	// A bucket includes its upper bound.
	bucket := sort.SearchFloat64s(bounds, value)
	h.counts[bucket]++
	if h.n == 0 || value < h.min {
		h.min = value
	}
	if h.n == 0 || value > h.max {
		h.max = value
	}
	h.sum += value
	h.n++
	return bucket
}

// stream is what one service instance counts under one resource. Its sums begin
// at start and never go down: what begins anew is another stream.
type stream struct {
	resource pcommon.Resource
	start    time.Time
	series   map[string]*series // by appendKey
	servers  map[string]bool
	overflow map[*probe.Instrument]*series
	gone     bool
}

// Recorder holds the series of all service instances. It may be used by several goroutines.
type Recorder struct {
	bounds bounds

	mu      sync.Mutex
	streams map[identity.Key]*stream
	// ended are streams that gave way to another of their instance; they are
	// collected once more.
	ended []*stream
	// since is the time of the latest collection, where new streams start: no
	// point of an earlier stream is later, and nothing that they count is older.
	since      time.Time
	key        []byte // of the series that is looked for
	recent     recent
	overflowed uint64
}

// recent is the stream of the request before, which is often that of the next; it
// is forgotten with every change of the streams.
type recent struct {
	of     identity.Key
	stream *stream
}

// NewRecorder returns a recorder whose first sums start now.
func NewRecorder(now time.Time) *Recorder {
	return &Recorder{
		since:   now,
		bounds:  bounds{durations: telemetry.DurationBuckets(), sizes: telemetry.SizeBuckets()},
		streams: make(map[identity.Key]*stream),
	}
}

// Add makes an instance known, with the resource that its metrics carry. Adding it
// again keeps it alive; with another resource, its sums start anew under that one.
func (r *Recorder) Add(of identity.Key, resource pcommon.Resource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recent = recent{}
	known, ok := r.streams[of]
	if ok && !replaces(resource.Attributes(), known.resource.Attributes()) {
		known.gone = false
		return
	}
	if ok {
		r.ended = append(r.ended, known)
	}
	r.streams[of] = r.begin(resource)
}

// begin starts a stream, or takes one up again that was not collected since it ended.
func (r *Recorder) begin(resource pcommon.Resource) *stream {
	for i, s := range r.ended {
		if s.resource.Attributes().Equal(resource.Attributes()) {
			r.ended = slices.Delete(r.ended, i, i+1)
			s.gone = false
			return s
		}
	}
	fresh := &stream{
		resource: pcommon.NewResource(),
		start:    r.since,
		series:   make(map[string]*series),
		servers:  make(map[string]bool),
		overflow: make(map[*probe.Instrument]*series),
	}
	resource.CopyTo(fresh.resource)
	return fresh
}

// Replace is Add for a process of the instance that has become another program, or
// is better known by now: where the metrics go by its resource, they go by the new
// one from now on.
func (r *Recorder) Replace(of identity.Key, before, resource pcommon.Resource) {
	r.mu.Lock()
	r.recent = recent{}
	if known, ok := r.streams[of]; ok && known.resource.Attributes().Equal(before.Attributes()) && !before.Attributes().Equal(resource.Attributes()) {
		r.ended = append(r.ended, known)
		r.streams[of] = r.begin(resource)
	}
	r.mu.Unlock()
	r.Add(of, resource)
}

// replaces says whether an instance goes by another resource from now on. The
// language alone is a reason only where that of the service may not be known yet:
// a container may have a shell or a helper beside its program, and they come and go.
func replaces(fresh, known pcommon.Map) bool {
	if fresh.Equal(known) {
		return false
	}
	if isTools(known) && !isTools(fresh) {
		return true
	}
	speaking := pcommon.NewMap()
	fresh.CopyTo(speaking)
	if language, ok := known.Get(telemetry.SDKLanguage); ok {
		language.CopyTo(speaking.PutEmpty(telemetry.SDKLanguage))
	} else {
		speaking.Remove(telemetry.SDKLanguage)
	}
	return !speaking.Equal(known)
}

// isTools says whether the language is that of shells, wrappers and tools.
func isTools(resource pcommon.Map) bool {
	language, ok := resource.Get(telemetry.SDKLanguage)
	return !ok || language.Str() == "c" || language.Str() == "cpp"
}

// Forget lets go of an instance after it was collected once more.
func (r *Recorder) Forget(of identity.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.streams[of]; ok {
		known.gone = true
	}
}

// Record adds one request of an instance. One that is not known is left out:
// its process was given up.
func (r *Recorder) Record(of identity.Key, m Measurement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := r.find(of)
	if in == nil {
		return
	}
	other := in.isOther(m.Labels)
	r.key = appendKey(r.key[:0], m, other)
	known, ok := in.series[string(r.key)]
	if !ok {
		if len(in.series) >= MaxSeries {
			r.overflowed += m.requests()
			in.overflowOf(m.Instrument).add(&m, &r.bounds)
			return
		}
		known = &series{instrument: m.Instrument, labels: labelsOf(limited(m.Labels, other))}
		in.series[string(r.key)] = known
	}
	known.add(&m, &r.bounds)
}

// find is the stream of an instance, nil for one that is not known; r.mu is held.
func (r *Recorder) find(of identity.Key) *stream {
	if r.recent.stream == nil || r.recent.of != of {
		r.recent = recent{of, r.streams[of]}
	}
	return r.recent.stream
}

func (in *stream) overflowOf(i *probe.Instrument) *series {
	s, ok := in.overflow[i]
	if !ok {
		s = &series{instrument: i}
		in.overflow[i] = s
	}
	return s
}

// isOther says whether the requests' server is beyond those that are told apart.
func (in *stream) isOther(labels []probe.Attribute) bool {
	for i := range labels {
		address := &labels[i]
		if !address.IsLabel || address.Key != telemetry.ServerAddress || in.servers[address.Text] {
			continue
		}
		if len(in.servers) >= maxServers {
			return true
		}
		in.servers[strings.Clone(address.Text)] = true
	}
	return false
}

// limited returns the labels of a series, where other takes the server's name and port.
func limited(labels []probe.Attribute, other bool) []probe.Attribute {
	if !other {
		return labels
	}
	var kept []probe.Attribute
	for _, a := range labels {
		switch a.Key {
		case telemetry.ServerPort:
			continue
		case telemetry.ServerAddress:
			a.Text = otherServer
		}
		kept = append(kept, a)
	}
	return kept
}

// appendKey appends what no other series of the stream has.
func appendKey(b []byte, m Measurement, other bool) []byte {
	b = append(append(b, m.Instrument.Name...), 0)
	for i := range m.Labels {
		a := &m.Labels[i]
		if !a.IsLabel || other && a.Key == telemetry.ServerPort {
			continue
		}
		b = append(append(b, a.Key...), 0)
		switch {
		case a.IsNumber:
			b = binary.BigEndian.AppendUint64(b, uint64(a.Number))
		case other && a.Key == telemetry.ServerAddress:
			b = append(append(b, otherServer...), 0)
		default:
			b = binary.AppendUvarint(b, uint64(len(a.Text)))
			b = append(b, a.Text...)
		}
	}
	return b
}

// Resource is that of an instance's metrics; false for one that is not known, or gone.
func (r *Recorder) Resource(of identity.Key) (pcommon.Resource, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.streams[of]
	if !ok || known.gone {
		return pcommon.Resource{}, false
	}
	return known.resource, true
}

// Overflowed is how many requests were counted in an overflow series.
func (r *Recorder) Overflowed() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overflowed
}
