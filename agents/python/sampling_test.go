package python_test

import (
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

// TestSamplingIsThatOfOdi asks the agent's SDK about 100,000 traces, and odi's engine about the same.
func TestSamplingIsThatOfOdi(t *testing.T) {
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
	for ratio, least := range map[string]int{"0.1": 9_000, "0.333333": 32_000} {
		sampling, err := probe.ParseSampling(ratio)
		if err != nil {
			t.Fatal(err)
		}
		answers := strings.TrimSpace(run(t, injected(agent(t), hanging(t)), debian, "-c", ask, ratio, file))
		if len(answers) != len(ids) || strings.Count(answers, "1") < least {
			t.Fatalf("%d answers, %d of them yes", len(answers), strings.Count(answers, "1"))
		}
		for i, id := range ids {
			if got := sampling.Records(id); got != (answers[i] == '1') {
				t.Fatalf("%s of %x: odi says %v, the agent %c", ratio, id, got, answers[i])
			}
		}
	}
}
