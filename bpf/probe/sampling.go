package probe

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// Sampling decides which traces that a process begins are recorded, by their trace ids:
// the lower 64 bits of a trace that is are below a bound, as in OpenTelemetry's SDKs for
// Go and Python. The zero value records every trace. Traces that come with a parent are
// the parent's to decide. Samplings can be compared.
type Sampling struct {
	// leftOut is 2^64 less the bound, and at most 2^64-1.
	leftOut uint64
	// rules are those that go before it, as the kernel is told of them.
	rules string
}

// SampleRatio records such a share of all traces, from 0 to 1.
func SampleRatio(ratio float64) Sampling {
	switch {
	case ratio >= 1 || math.IsNaN(ratio):
		return Sampling{}
	case ratio <= 0:
		return Sampling{leftOut: math.MaxUint64}
	}
	const all = 1 << 63
	return Sampling{leftOut: -(uint64(math.Round(ratio*all)) << 1)}
}

// ParseSampling reads a ratio as the API and agents write it; empty is every trace.
func ParseSampling(text string) (Sampling, error) {
	if text == "" {
		return Sampling{}, nil
	}
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || ratio < 0 || ratio > 1 || math.IsNaN(ratio) {
		return Sampling{}, fmt.Errorf("%q is no share: give a number from 0 to 1, such as 0.1", text)
	}
	return SampleRatio(ratio), nil
}

// LeftOut is what the kernel is told: a trace is recorded whose lower 64 bits, inverted,
// are not less.
func (s Sampling) LeftOut() uint64 { return s.leftOut }

// Records says whether a trace that begins with an id, and that no rule fits, is recorded.
func (s Sampling) Records(traceID [16]byte) bool {
	return ^binary.BigEndian.Uint64(traceID[8:]) >= s.leftOut
}

// Sampled is the bit of trace flags that says that a trace is recorded.
const Sampled = 1
