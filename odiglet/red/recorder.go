package red

import (
	"sort"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/internal/telemetry"
)

const (
	// MaxSeries bounds the series of one service instance; what exceeds it is
	// counted in one series per kind that carries otel.metric.overflow.
	MaxSeries = 2000
	// maxServers bounds the addresses that clients of one service are told
	// apart by, so that a crawler does not use up all its series.
	maxServers = 200
	// otherServer stands for the addresses beyond maxServers.
	otherServer = "other"
)

// Kind is the side of a request.
type Kind uint8

// The kinds.
const (
	Server Kind = iota
	Client
)

// Request is what is measured of one request. It is comparable: except for its
// duration it is the identity of a series.
type Request struct {
	Kind      Kind
	Method    string
	Scheme    string
	Route     string
	ErrorType string
	// Status is zero when no response came.
	Status int
	// Server is the address and port of the server; kept for clients only,
	// because a server's own address says little and has many spellings.
	Server string
	Port   int
}

// histogram counts durations per bucket.
type histogram struct {
	counts []uint64
	sum    float64
	min    float64
	max    float64
	n      uint64
}

func (h *histogram) add(seconds float64, bounds []float64) {
	if h.counts == nil {
		h.counts = make([]uint64, len(bounds)+1)
	}
	// A bucket includes its upper bound.
	h.counts[sort.SearchFloat64s(bounds, seconds)]++
	if h.n == 0 || seconds < h.min {
		h.min = seconds
	}
	if h.n == 0 || seconds > h.max {
		h.max = seconds
	}
	h.sum += seconds
	h.n++
}

// instance is one service instance: a resource and its series.
type instance struct {
	resource pcommon.Resource
	series   map[Request]*histogram
	servers  map[string]bool
	overflow [2]histogram
	gone     bool
}

// Recorder holds the series of all service instances. It may be used by several goroutines.
type Recorder struct {
	start  time.Time
	bounds []float64

	mu         sync.Mutex
	instances  map[string]*instance
	overflowed uint64
}

// NewRecorder returns a recorder whose sums start now.
func NewRecorder(now time.Time) *Recorder {
	return &Recorder{
		start:     now,
		bounds:    telemetry.DurationBuckets(),
		instances: make(map[string]*instance),
	}
}

// Add makes an instance known by its id, with the resource that its metrics
// carry. Adding it again changes nothing but keeps it alive.
func (r *Recorder) Add(id string, resource pcommon.Resource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.instances[id]; ok {
		known.gone = false
		return
	}
	fresh := &instance{
		resource: pcommon.NewResource(),
		series:   make(map[Request]*histogram),
		servers:  make(map[string]bool),
	}
	resource.CopyTo(fresh.resource)
	r.instances[id] = fresh
}

// Forget lets go of an instance after it was collected once more.
func (r *Recorder) Forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.instances[id]; ok {
		known.gone = true
	}
}

// Record adds one request of an instance. One that is not known is left out:
// its process was given up.
func (r *Recorder) Record(id string, req Request, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in, ok := r.instances[id]
	if !ok {
		return
	}
	req = in.limit(req)
	h, ok := in.series[req]
	if !ok {
		if len(in.series) >= MaxSeries {
			r.overflowed++
			in.overflow[req.Kind].add(took.Seconds(), r.bounds)
			return
		}
		h = &histogram{}
		in.series[req.clone()] = h
	}
	h.add(took.Seconds(), r.bounds)
}

// clone returns a request that holds nothing of the head that it was read from.
func (r Request) clone() Request {
	for _, s := range []*string{&r.Method, &r.Scheme, &r.Route, &r.ErrorType, &r.Server} {
		*s = strings.Clone(*s)
	}
	return r
}

// limit drops what would make too many series.
func (in *instance) limit(req Request) Request {
	if req.Kind == Server {
		req.Server, req.Port = "", 0
		return req
	}
	if in.servers[req.Server] {
		return req
	}
	if len(in.servers) >= maxServers {
		req.Server, req.Port = otherServer, 0
		return req
	}
	in.servers[strings.Clone(req.Server)] = true
	return req
}

// Overflowed is how many requests were counted in an overflow series.
func (r *Recorder) Overflowed() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overflowed
}
