package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// module copies the module of these tests, whose failing inputs are then not left here.
func module(t *testing.T) run {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/module")); err != nil {
		t.Fatal(err)
	}
	return run{dir: dir, each: 2 * time.Second, atOnce: 2, least: 3, out: new(bytes.Buffer)}
}

// TestRun runs real targets: one that holds, one that breaks, one that tries nothing.
func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		only     string
		err      string
		want     []string
		dontWant string
	}{
		"one that holds":        {"FuzzHolds", "", []string{"=== RUN   FuzzHolds\nfuzz: elapsed: ", "\n--- PASS: FuzzHolds (", "\nok  \tfuzzed.test/parse\t"}, "FAIL"},
		"one that breaks":       {"FuzzBreaks", "1 of 1 targets failed", []string{"\n--- FAIL: FuzzBreaks (", "panic: a byte that nobody thought of", "\nFAIL\tfuzzed.test/parse\t"}, "\n--- PASS"},
		"one that skips itself": {"FuzzSkips", "1 of 1 targets failed", []string{"it needs what this machine has not", "\n--- FAIL: FuzzSkips (", "it has tried no input"}, "\n--- PASS"},
		"all of them":           {"", "2 of 3 targets failed", []string{"--- PASS: FuzzHolds", "--- FAIL: FuzzBreaks", "--- FAIL: FuzzSkips"}, "--- PASS: FuzzBreaks"},
		"none":                  {"FuzzNobody", "no target is chosen", nil, "FuzzHolds"},
	} {
		t.Run(name, func(t *testing.T) {
			r := module(t)
			err := r.matching(t.Context(), tc.only)
			if (err == nil) != (tc.err == "") || err != nil && err.Error() != tc.err {
				t.Errorf("the error is %v, want %s", err, tc.err)
			}
			said := r.out.(*bytes.Buffer).String()
			for _, want := range tc.want {
				if !strings.Contains(said, want) {
					t.Errorf("it has not said %q", want)
				}
			}
			if strings.Contains(said, tc.dontWant) {
				t.Errorf("it has said %q", tc.dontWant)
			}
			inputs, _ := filepath.Glob(filepath.Join(r.dir, "parse/testdata/fuzz/FuzzBreaks/*"))
			if breaks := strings.Contains("FuzzBreaks", tc.only); breaks != (len(inputs) == 1) {
				t.Errorf("these inputs were kept: %v", inputs)
			} else if breaks && !strings.Contains(said, "the failing input is in "+inputs[0]) {
				t.Errorf("it has not said where the input is")
			}
			if t.Failed() {
				t.Log(said)
			}
		})
	}
}

// TestTooFew are fewer targets than there must be.
func TestTooFew(t *testing.T) {
	r := module(t)
	r.least = 4
	if err := r.matching(t.Context(), ""); err == nil || err.Error() != "found 3 targets, there must be 4: the search is broken" {
		t.Errorf("the error is %v", err)
	}
}

// TestDoesNotBuild has the targets of other packages run all the same.
func TestDoesNotBuild(t *testing.T) {
	r := module(t)
	other := filepath.Join(r.dir, "broken")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	const text = "package broken\n\nimport \"testing\"\n\nfunc FuzzHolds(f *testing.F) { nobody() }\n"
	if err := os.WriteFile(filepath.Join(other, "broken_test.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.matching(t.Context(), "FuzzHolds"); err == nil || !strings.HasPrefix(err.Error(), "building fuzzed.test/broken: ") {
		t.Errorf("the error is %v", err)
	}
	if said := r.out.(*bytes.Buffer).String(); !strings.Contains(said, "--- PASS: FuzzHolds") {
		t.Errorf("it has said %q", said)
	}
}

// TestJudge holds what is an end of a target's time, and what is not.
func TestJudge(t *testing.T) {
	exit := errors.New("exit status 1")
	const tried = "=== RUN   FuzzX\nfuzz: elapsed: 30s, execs: 7 (1/sec), new interesting: 0 (total: 1)\n"
	for name, tc := range map[string]struct {
		said string
		err  error
		want bool
	}{
		"it passed":                             {tried + "--- PASS: FuzzX (30.01s)\nPASS\n", nil, true},
		"the end of its time":                   {tried + "--- FAIL: FuzzX (30.01s)\n    context deadline exceeded\nFAIL\n", exit, true},
		"the end of the context of an input":    {tried + "--- FAIL: FuzzX (3.01s)\n    x_test.go:7: context deadline exceeded\nFAIL\n", exit, false},
		"an input failed at the end":            {tried + "--- FAIL: FuzzX (30s)\n    panic\n    Failing input written to testdata/fuzz/FuzzX/7\n    context deadline exceeded\nFAIL\n", exit, false},
		"it crashed":                            {tried, exit, false},
		"it tried nothing":                      {"fuzz: elapsed: 0s, execs: 0 (0/sec), new interesting: 0 (total: 0)\nPASS\n", nil, false},
		"it said nothing":                       {"PASS\n", nil, false},
		"the end of its time, nothing is tried": {"--- FAIL: FuzzX (30.01s)\n    context deadline exceeded\nFAIL\n", exit, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judge(target{name: "FuzzX"}, []byte(tc.said), tc.err, time.Second); (got.err == nil) != tc.want {
				t.Errorf("%v, want passed %v", got.err, tc.want)
			}
		})
	}
}
