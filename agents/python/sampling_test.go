package python_test

import (
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSamplingIsByTheLowerHalf asks the agent's SDK about 100,000 traces: it goes by the rule that odi's engine has
// (bpf/probe), what is below its share of 2^64.
func TestSamplingIsByTheLowerHalf(t *testing.T) {
	const ask = `import sys
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
sampler = TraceIdRatioBased(float(sys.argv[1]))
with open(sys.argv[2]) as ids:
    print("".join("01"[sampler.should_sample(None, int(line, 16), "").decision.is_sampled()] for line in ids))`
	random := rand.New(rand.NewPCG(9, 10))
	ids := make([][16]byte, 100_000)
	var lines strings.Builder
	for i := range ids {
		for j := range ids[i] {
			ids[i][j] = byte(random.Uint32())
		}
		lines.WriteString(hex.EncodeToString(ids[i][:]) + "\n")
	}
	file := filepath.Join(t.TempDir(), "ids")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for ratio, share := range map[string]*big.Rat{"0.1": big.NewRat(1, 10), "0.333333": big.NewRat(333333, 1_000_000)} {
		answers := strings.TrimSpace(run(t, injected(agent(t), hanging(t)), debian, "-c", ask, ratio, file))
		if len(answers) != len(ids) {
			t.Fatalf("%d answers", len(answers))
		}
		whole := new(big.Int).Lsh(big.NewInt(1), 64)
		bound := new(big.Int).Div(new(big.Int).Mul(whole, share.Num()), share.Denom())
		for i, id := range ids {
			want := new(big.Int).SetBytes(id[8:]).Cmp(bound) < 0
			if got := answers[i] == '1'; got != want {
				t.Fatalf("%s of %x: recorded %v, want %v", ratio, id, got, want)
			}
		}
	}
}
