package bpf

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/odi-dev/odi/internal/testkit"
)

const (
	verifierCosts = "testdata/verifier-costs.txt"
	// The kernel gives up behind so many instructions (BPF_COMPLEXITY_LIMIT_INSNS of
	// include/linux/bpf.h); other kernels may need more than this one.
	verifierLimit = 400_000
)

var (
	updateCosts = flag.Bool("update-costs", false, "rewrite "+verifierCosts)
	processed   = regexp.MustCompile(`processed (\d+) insns`)
)

// TestVerifierCosts holds what the verifier does for each program: how long an odiglet
// takes to start is that, and behind a million instructions a program is refused.
// A program may grow by a tenth; go test ./bpf -run TestVerifierCosts -update-costs
// writes down what it costs then. Only figures of one kernel can be compared.
func TestVerifierCosts(t *testing.T) {
	testkit.NeedRoot(t)
	costs := map[string]int{}
	spec, err := newKit(0)
	if err != nil {
		t.Fatal(err)
	}
	overTLS, err := loadSessions()
	if err != nil {
		t.Fatal(err)
	}
	for of, programs := range map[string]*ebpf.CollectionSpec{"": spec.CollectionSpec, "sessions/": overTLS} {
		for name := range programs.Programs {
			if cost := verifierCost(t, programs, name); cost > 0 {
				costs[of+name] = cost
			}
		}
	}
	for name, cost := range costs {
		if cost > verifierLimit {
			t.Errorf("%s costs the verifier %d instructions, at most %d are wanted: let it check functions by themselves", name, cost, verifierLimit)
		}
	}
	now := writeCosts(kernelSeries(t), costs)
	if *updateCosts {
		if err := os.WriteFile(verifierCosts, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(verifierCosts)
	if err != nil {
		t.Fatal(err)
	}
	series, recorded := readCosts(t, before)
	if series != kernelSeries(t) {
		t.Logf("recorded on Linux %s, this is %s: only the limit was looked at", series, kernelSeries(t))
		return
	}
	for name, was := range recorded {
		if cost := costs[name]; cost == 0 {
			t.Errorf("%s is not loaded any more", name)
		} else if cost > was+was/10 {
			t.Errorf("%s costs the verifier %d instructions, recorded are %d: more than a tenth more", name, cost, was)
		}
	}
	for name := range costs {
		if recorded[name] == 0 {
			t.Errorf("%s is not recorded", name)
		}
	}
}

// verifierCost loads one program and returns the instructions that the verifier looked
// at, 0: this kernel has no use for the program.
func verifierCost(t *testing.T, spec *ebpf.CollectionSpec, name string) int {
	t.Helper()
	one := spec.Copy()
	for other := range one.Programs {
		if other != name {
			delete(one.Programs, other)
		}
	}
	coll, err := ebpf.NewCollectionWithOptions(one, ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats},
	})
	if err != nil {
		t.Logf("%s: not for this kernel: %s", name, firstLine(err))
		return 0
	}
	defer coll.Close()
	found := processed.FindStringSubmatch(coll.Programs[name].VerifierLog)
	if found == nil {
		t.Fatalf("%s: the verifier does not say what it did: %q", name, coll.Programs[name].VerifierLog)
	}
	cost, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return cost
}

// kernelSeries is the kernel's version without its last number.
func kernelSeries(t *testing.T) string {
	t.Helper()
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(string(release), ".", 3)
	return parts[0] + "." + parts[1]
}

func writeCosts(series string, costs map[string]int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Linux %s\n", series)
	for _, name := range slices.Sorted(maps.Keys(costs)) {
		fmt.Fprintf(&b, "%s %d\n", name, costs[name])
	}
	return b.Bytes()
}

func readCosts(t *testing.T, text []byte) (series string, costs map[string]int) {
	t.Helper()
	costs = map[string]int{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "Linux" {
			series = value
			continue
		}
		cost, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		costs[name] = cost
	}
	return series, costs
}
