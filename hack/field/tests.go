package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is a line of `go test -json`.
type event struct {
	Action string
	Test   string
	Output string
}

// tally is what became of the tests of a run.
type tally struct {
	passed, failed map[string]bool
	// skipped is why, by test.
	skipped map[string]string
	// told is what each test has said with its place in the source.
	told map[string][]string
	// text is what the tests have printed.
	text bytes.Buffer
}

// place is what t.Error and t.Skip begin with.
var place = regexp.MustCompile(`^\s*\S+\.go:\d+: (.*)`)

// readTests reads `go test -json`; other lines are of the build.
func readTests(said []byte) *tally {
	t := &tally{passed: map[string]bool{}, failed: map[string]bool{}, skipped: map[string]string{}, told: map[string][]string{}}
	lines := bufio.NewScanner(bytes.NewReader(said))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Action == "" {
			t.text.Write(append(slices.Clone(lines.Bytes()), '\n'))
			continue
		}
		t.text.WriteString(e.Output)
		if found := place.FindStringSubmatch(e.Output); found != nil {
			t.told[e.Test] = append(t.told[e.Test], strings.TrimSpace(found[1]))
		}
		switch {
		case e.Test == "":
		case e.Action == "pass":
			t.passed[e.Test] = true
		case e.Action == "fail":
			t.failed[e.Test] = true
		case e.Action == "skip":
			t.skipped[e.Test] = strings.Join(t.told[e.Test], "; ")
		}
	}
	return t
}

// judgeTests takes what became of each test that the case names: one that did not
// run has failed, and one that was skipped, in whole or in part, is told with its reason.
func (c fieldCase) judgeTests(said []byte, err error) result {
	t := readTests(said)
	r := result{outcome: passed, said: t.text.Bytes()}
	absent := t.absent(c.tests)
	switch {
	case len(t.failed) > 0:
		r.outcome, r.figure = failed, first("failed: ", t.leaves())
		for _, name := range t.leaves() {
			r.gist = append(r.gist, t.told[name]...)
		}
	case err != nil:
		r.outcome, r.figure = failed, reason(err)
	case len(absent) > 0:
		r.outcome, r.figure = failed, first("no test of "+c.pkg+" is called ", absent)
	case len(t.skipped) > 0:
		var why []string
		for name, text := range t.skipped {
			why = append(why, name+": "+text)
		}
		slices.Sort(why)
		r.outcome, r.figure = skipped, first("", why)
	default:
		r = c.figuresOf(r, len(t.passed))
	}
	return r
}

// figuresOf adds the figures of tests that have passed.
func (c fieldCase) figuresOf(r result, tests int) result {
	if len(c.figures) > 0 {
		return c.judgeCommand(r.said, nil)
	}
	r.figure = "1 test"
	if tests > 1 {
		r.figure = fmt.Sprintf("%d tests", tests)
	}
	return r
}

// absent are those of the names of which no test ran or was skipped.
func (t *tally) absent(names []string) []string {
	var all []string
	for _, name := range names {
		if _, skip := t.skipped[name]; !skip && !t.passed[name] && !t.failed[name] {
			all = append(all, name)
		}
	}
	return all
}

// leaves are the failed tests without those that failed for a part of them.
func (t *tally) leaves() []string {
	var all []string
	for name := range t.failed {
		part := func(other string) bool { return strings.HasPrefix(other, name+"/") }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(t.failed)), part) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// first names up to three.
func first(text string, names []string) string {
	if len(names) > 3 {
		names = append(names[:3:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return text + strings.Join(names, "; ")
}
