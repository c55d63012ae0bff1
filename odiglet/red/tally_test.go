package red

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/tally"
	"github.com/odi-dev/odi/odiglet/identity"
)

// TestTalliesAreTheSame records random requests one by one, and in tallies as the kernel makes them: the metrics are the same.
func TestTalliesAreTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	instrument := &probe.Instrument{Name: "a", RequestBody: &probe.Sizes{Name: "b"}, ResponseBody: &probe.Sizes{Name: "c"}}
	service := identity.Service{Name: "shop", InstanceID: "1"}
	begin := time.Unix(1_700_000_000, 0)
	single, counted := NewRecorder(begin), NewRecorder(begin)
	for _, r := range []*Recorder{single, counted} {
		r.Add(service.Key(), service.Resource())
	}
	times, sizes := tally.Times(), tally.Sizes()
	var sum probe.Tally
	sum.Took.Buckets, sum.Response.Buckets = make([]uint64, len(times)+1), make([]uint64, len(sizes)+1)
	sum.Took.Least, sum.Response.Least = math.MaxUint64, math.MaxUint64
	for i := range 10_000 {
		took, size := time.Duration(random.ExpFloat64()*3e8), int64(random.IntN(1<<uint(random.IntN(28))))
		if i < len(times) { // a bucket includes its bound
			took, size = time.Duration(times[i]), int64(sizes[i%len(sizes)])
		}
		single.Record(service.Key(), Measurement{Instrument: instrument, Took: took, Request: -1, Response: size})
		put(&sum.Took, times[:], uint64(took))
		put(&sum.Response, sizes[:], uint64(size))
		if random.IntN(100) == 0 || i == 9_999 {
			counted.Record(service.Key(), Measurement{Instrument: instrument, Request: -1, Response: -1, Tally: &sum})
			for _, h := range []*probe.Histogram{&sum.Took, &sum.Response} {
				clear(h.Buckets)
				h.Count, h.Sum = 0, 0
			}
		}
	}
	want := single.streams[service.Key()].series
	for key, got := range counted.streams[service.Key()].series {
		for name, h := range map[string][2]*histogram{"times": {&got.durations, &want[key].durations}, "requests": {&got.requests, &want[key].requests}, "responses": {&got.responses, &want[key].responses}} {
			a, b := h[0], h[1]
			if a.n != b.n || a.min != b.min || a.max != b.max || math.Abs(a.sum-b.sum) > 1e-6*b.sum {
				t.Errorf("%s: %+v, want %+v", name, a, b)
			}
			for i := range b.counts {
				if a.counts[i] != b.counts[i] {
					t.Errorf("%s: %d in bucket %d, want %d", name, a.counts[i], i, b.counts[i])
				}
			}
		}
	}
}

func put(h *probe.Histogram, bounds []uint64, value uint64) {
	at := 0
	for _, b := range bounds {
		if value > b {
			at++
		}
	}
	h.Buckets[at]++
	h.Count, h.Sum, h.Least, h.Most = h.Count+1, h.Sum+value, min(h.Least, value), max(h.Most, value)
}
