package red

import (
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// requests is how many were measured.
func (m *Measurement) requests() uint64 {
	if m.Tally == nil {
		return 1
	}
	return m.Tally.Took.Count
}

// addTally adds requests that were counted in the kernel, in the same buckets.
func (s *series) addTally(t *probe.Tally, b *bounds) {
	s.durations.join(&t.Took, b.durations, float64(time.Second))
	if s.instrument.RequestBody != nil {
		s.requests.join(&t.Request, b.sizes, 1)
	}
	if s.instrument.ResponseBody != nil {
		s.responses.join(&t.Response, b.sizes, 1)
	}
}

// join adds counted values, so many of which are one.
func (h *histogram) join(c *probe.Histogram, bounds []float64, unit float64) {
	if c.Count == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint64, len(bounds)+1)
	}
	for i := range min(len(h.counts), len(c.Buckets)) {
		h.counts[i] += c.Buckets[i]
	}
	if least := float64(c.Least) / unit; h.n == 0 || least < h.min {
		h.min = least
	}
	if most := float64(c.Most) / unit; h.n == 0 || most > h.max {
		h.max = most
	}
	h.sum += float64(c.Sum) / unit
	h.n += c.Count
}
