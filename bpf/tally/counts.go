package tally

import (
	"slices"
	"sync/atomic"

	"github.com/odi-dev/odi/bpf/probe"
)

// Bounds of the buckets, which they include: the histograms of the odiglet have the same.
var (
	times = [...]uint64{5e6, 10e6, 25e6, 50e6, 75e6, 100e6, 250e6, 500e6, 750e6, 1e9, 2.5e9, 5e9, 7.5e9, 10e9}
	sizes = [...]uint64{0, 128, 512, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20}
)

// Times are the bounds of durations, in nanoseconds; Sizes those of bodies, in bytes. They go into
// the programs as tally_times and tally_sizes.
func Times() [len(times)]uint64 { return times }

// Sizes are the bounds of bodies, in bytes.
func Sizes() [len(sizes)]uint64 { return sizes }

// Range is struct range: what the values that the kernel counts lie in.
type Range struct{ Least, Most uint64 }

// widen takes a value in. The programs read it meanwhile.
func (r *Range) widen(value uint64) {
	if value < atomic.LoadUint64(&r.Least) {
		atomic.StoreUint64(&r.Least, value)
	}
	if value > atomic.LoadUint64(&r.Most) {
		atomic.StoreUint64(&r.Most, value)
	}
}

// Place is struct tally, in memory that is shared with the programs.
type Place struct {
	took, request, response      Range
	tookSum, requestSum, respSum uint64
	times                        [len(times) + 1]uint32
	requests, responses          [len(sizes) + 1]uint32
	_                            uint32
}

// none is what no value lies in.
var none = Range{Least: 1 << 63, Most: 0}

// begin makes a place ready for a key that is not known yet.
func (p *Place) begin() {
	for _, r := range []*Range{&p.took, &p.request, &p.response} {
		atomic.StoreUint64(&r.Least, none.Least)
		atomic.StoreUint64(&r.Most, none.Most)
	}
}

// widen takes in what was told of a request.
func (p *Place) widen(x *probe.Exchange) {
	if took := x.End.Sub(x.Start); took >= 0 {
		p.took.widen(uint64(took))
	}
	if x.RequestBodySize >= 0 {
		p.request.widen(uint64(x.RequestBodySize))
	}
	if x.ResponseBodySize >= 0 {
		p.response.widen(uint64(x.ResponseBodySize))
	}
}

// counts are those of a place at one moment.
type counts struct {
	tookSum, requestSum, respSum uint64
	times                        [len(times) + 1]uint32
	requests, responses          [len(sizes) + 1]uint32
}

// read copies the counts, which go up meanwhile.
func (p *Place) read(c *counts) {
	load(c.times[:], p.times[:]) // in the order in which the programs write
	c.tookSum, c.requestSum, c.respSum = atomic.LoadUint64(&p.tookSum), atomic.LoadUint64(&p.requestSum), atomic.LoadUint64(&p.respSum)
	load(c.requests[:], p.requests[:])
	load(c.responses[:], p.responses[:])
}

func load(to, from []uint32) {
	for i := range from {
		to[i] = atomic.LoadUint32(&from[i])
	}
}

// grown puts into a tally by how much the counts have grown since before; false: by no request. The
// counts of one moment may have a part of a request, and those of the next the other. Those of 32 bits
// may begin again at 0.
func (c *counts) grown(before *counts, p *Place, t *probe.Tally) bool {
	if c.times == before.times {
		return false
	}
	t.Took = histogram(t.Took, c.times[:], before.times[:], c.tookSum-before.tookSum, &p.took)
	t.Request = histogram(t.Request, c.requests[:], before.requests[:], c.requestSum-before.requestSum, &p.request)
	t.Response = histogram(t.Response, c.responses[:], before.responses[:], c.respSum-before.respSum, &p.response)
	return true
}

// histogram writes one over another, whose memory it takes.
func histogram(to probe.Histogram, now, before []uint32, sum uint64, in *Range) probe.Histogram {
	to.Buckets, to.Count, to.Sum = slices.Grow(to.Buckets[:0], len(now)), 0, sum
	for i := range now {
		n := uint64(now[i] - before[i])
		to.Buckets = append(to.Buckets, n)
		to.Count += n
	}
	to.Least, to.Most = atomic.LoadUint64(&in.Least), atomic.LoadUint64(&in.Most)
	return to
}
