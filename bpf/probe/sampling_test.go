package probe

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestSampling compares 100,000 traces with the rule as it is written down: recorded is what is below the share of
// 2^64. The test of the agent for Python asks OpenTelemetry's own code.
func TestSampling(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for _, ratio := range []float64{0, 0.001, 0.1, 0.25, 0.5, 0.999, 1} {
		sampling := SampleRatio(ratio)
		share, _ := new(big.Float).Mul(big.NewFloat(ratio), new(big.Float).SetMantExp(big.NewFloat(1), 64)).Int(nil)
		recorded := 0
		const rounds = 100_000
		for range rounds {
			var id [16]byte
			binary.BigEndian.PutUint64(id[:], random.Uint64())
			binary.BigEndian.PutUint64(id[8:], random.Uint64())
			want := new(big.Int).SetBytes(id[8:]).Cmp(share) < 0
			if got := sampling.Records(id); got != want {
				t.Fatalf("%g of %x: recorded %v, want %v", ratio, id, got, want)
			}
			if want {
				recorded++
			}
		}
		if got := float64(recorded) / rounds; math.Abs(got-ratio) > 0.01 {
			t.Errorf("%g are recorded instead of %g", got, ratio)
		}
	}
}

func TestParseSampling(t *testing.T) {
	for text, want := range map[string]Sampling{"": {}, "1": {}, "1.0": {}, "0.5": {leftOut: 1 << 63}, "0": {leftOut: math.MaxUint64}, "0.75": {leftOut: 1 << 62}} {
		if got, err := ParseSampling(text); err != nil || got != want {
			t.Errorf("%q is %x, %v; want %x", text, got, err, want)
		}
	}
	for _, text := range []string{"-0.1", "1.1", "10%", "NaN", "inf"} {
		if got, err := ParseSampling(text); err == nil {
			t.Errorf("%q is %x", text, got)
		}
	}
}
