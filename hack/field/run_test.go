package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// there tells whether a file of the clone has what a pattern matches.
func there(t *testing.T, files, pattern string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, files))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(pattern).Match(text) {
			return true
		}
	}
	return false
}

// TestJudgeTests holds that no case passes in silence.
func TestJudgeTests(t *testing.T) {
	exit := errors.New("exit status 1")
	c := fieldCase{pkg: "x", tests: tests("TestA", "TestB")}
	pass := func(name string) string { return `{"Action":"pass","Test":"` + name + `"}` + "\n" }
	for name, tc := range map[string]struct {
		figures []string
		said    string
		err     error
		want    outcome
		figure  string
	}{
		"both passed":                {said: pass("TestA") + pass("TestB"), want: passed, figure: "2 tests"},
		"one is not there":           {said: pass("TestA"), want: failed, figure: "no test of x is called TestB"},
		"none is there":              {said: `{"Action":"output","Output":"testing: warning: no tests to run\n"}` + "\n", want: failed, figure: "no test of x is called TestA; TestB"},
		"a subtest stands for none":  {said: pass("TestA") + pass("TestB/sub"), want: failed, figure: "no test of x is called TestB"},
		"one failed":                 {said: pass("TestA") + `{"Action":"fail","Test":"TestB"}`, err: exit, want: failed, figure: "failed: TestB"},
		"a part failed":              {said: pass("TestA") + `{"Action":"fail","Test":"TestB/c"}` + "\n" + `{"Action":"fail","Test":"TestB"}`, err: exit, want: failed, figure: "failed: TestB/c"},
		"it does not build":          {said: "# x\nx.go:1: no\n", err: exit, want: failed, figure: "exit status 1"},
		"it passed and then crashed": {said: pass("TestA") + pass("TestB"), err: exit, want: failed, figure: "exit status 1"},
		"one skipped": {said: pass("TestA") + `{"Action":"output","Test":"TestB","Output":"    x_test.go:7: this kernel has none\n"}` + "\n" +
			`{"Action":"output","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}` + "\n" + `{"Action":"skip","Test":"TestB"}`,
			want: skipped, figure: "TestB: this kernel has none"},
		"a part skipped": {said: pass("TestA") + pass("TestB") + `{"Action":"output","Test":"TestB/c","Output":"        x_test.go:7: no c\n"}` + "\n" +
			`{"Action":"skip","Test":"TestB/c"}`, want: skipped, figure: "TestB/c: no c"},
		"a figure": {figures: []string{`lost (\d+)`}, said: pass("TestA") + `{"Action":"output","Test":"TestB","Output":"lost 7 of\n"}` + "\n" + pass("TestB"),
			want: passed, figure: "7"},
		"no figure": {figures: []string{`lost (\d+)`}, said: pass("TestA") + pass("TestB"), want: failed, figure: "it ended well, but printed nothing like lost (\\d+)"},
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			c.figures = tc.figures
			if got := c.judgeTests([]byte(tc.said), tc.err); got.outcome != tc.want || got.figure != tc.figure {
				t.Errorf("%s %q, want %s %q", got.outcome, got.figure, tc.want, tc.figure)
			}
		})
	}
}

func TestJudgeCommand(t *testing.T) {
	c := fieldCase{command: []string{"x"}, figures: []string{`(\d+) sent`, `lost \d+`}}
	for name, tc := range map[string]struct {
		said   string
		err    error
		want   outcome
		figure string
	}{
		"passed":                {said: "1 sent\n2 sent\nlost 0\n", want: passed, figure: "2, lost 0"},
		"failed with figures":   {said: "2 sent\nlost 1\n", err: errors.New("exit status 1"), want: failed, figure: "exit status 1, 2, lost 1"},
		"it printed no figures": {said: "2 sent\n", want: failed, figure: `it ended well, but printed nothing like lost \d+`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.judgeCommand([]byte(tc.said), tc.err); got.outcome != tc.want || got.figure != tc.figure {
				t.Errorf("%s %q, want %s %q", got.outcome, got.figure, tc.want, tc.figure)
			}
		})
	}
}

// TestTheTable runs cases for real: one passes, one fails, and the next is run all the same.
func TestTheTable(t *testing.T) {
	var out strings.Builder
	r := runner{out: &out, logs: t.TempDir()}
	err := r.all(t.Context(), []fieldCase{
		{kind: 3, proves: "this passes", command: []string{"echo", "12 sent"}, figures: []string{`\d+ sent`}},
		{kind: 4, proves: "this fails", command: []string{"ls", "/no/such/file"}},
		{kind: 5, proves: "this is no program", command: []string{"/no/such/program"}},
		{kind: 6, proves: "this passes as well", command: []string{"true"}},
	})
	if err == nil || err.Error() != "2 of 4 cases failed" {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{
		`(?m)^ 3 framing +this passes +PASS +\d\.\d  12 sent$`, `(?m)^ 4 parents +this fails +FAIL +\d\.\d  exit status 2$`,
		`(?m)^ +all of it: .*4-this-fails\.log$`, `(?m)^ 5 transports +this is no program +FAIL`, `(?m)^ 6 short-lived +this passes as well +PASS`,
		`(?m)^2 passed, 2 failed, 0 skipped after`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}
