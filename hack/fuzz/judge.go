package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// result is what became of a target.
type result struct {
	target
	said []byte
	took time.Duration
	// err is nil for a target that tried inputs, and no one failed.
	err error
}

var (
	progress = regexp.MustCompile(`(?m)^fuzz: elapsed: .* execs: (\d+) .*$`)
	written  = regexp.MustCompile(`(?m)Failing input written to (\S+)$`)
	verdict  = regexp.MustCompile(`(?ms)^--- FAIL: .*`)
)

// judge takes what a target has printed, and how it ended. Go's engine may take the end of its time
// for an error, the only thing that it says then: https://go.dev/issue/75804.
func judge(t target, said []byte, err error, took time.Duration) result {
	r := result{target: t, said: said, took: took, err: err}
	words := strings.Fields(string(verdict.Find(said)))
	if err != nil && strings.HasSuffix(strings.Join(words, " "), "s) context deadline exceeded FAIL") {
		r.err = nil
	}
	if m := r.last(); r.err == nil && (m == nil || string(m[1]) == "0") {
		r.err = errors.New("it has tried no input")
	}
	return r
}

// last is the last that the engine has said of its progress: the line, and the number of inputs.
func (r result) last() [][]byte {
	all := progress.FindAllSubmatch(r.said, -1)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// text is the result as `go test -v` prints one; below one that failed stands all that was printed,
// marked, so that nobody counts the engine's own verdict.
func (r result) text() string {
	var b strings.Builder
	seconds := r.took.Seconds()
	fmt.Fprintf(&b, "=== RUN   %s\n", r.name)
	if r.err == nil {
		fmt.Fprintf(&b, "%s\n--- PASS: %s (%.2fs)\nPASS\nok  \t%s\t%.3fs\n", r.last()[0], r.name, seconds, r.path, seconds)
		return b.String()
	}
	fmt.Fprintf(&b, "--- FAIL: %s (%.2fs)\n", r.name, seconds)
	for line := range bytes.Lines(r.said) {
		fmt.Fprintf(&b, "    | %s\n", bytes.TrimRight(line, "\n"))
	}
	if m := written.FindSubmatch(r.said); m != nil {
		fmt.Fprintf(&b, "    the failing input is in %s/%s: commit it with the fix\n", r.dir, m[1])
	}
	fmt.Fprintf(&b, "    %v\nFAIL\nFAIL\t%s\t%.3fs\n", r.err, r.path, seconds)
	return b.String()
}
