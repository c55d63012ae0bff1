package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// The widths of the table's columns, in characters.
const (
	kindWidth = 18
	caseWidth = 74
)

// runner runs cases and prints the table.
type runner struct {
	out  io.Writer
	logs string
}

// all runs cases one after another, each also when an earlier one has failed.
func (r runner) all(ctx context.Context, cases []fieldCase) error {
	counts := map[outcome]int{}
	began := time.Now()
	r.print("%-*s  %-*s  %s  %7s  %s\n", kindWidth, "kind", caseWidth, "case", "    ", "seconds", "figure")
	for _, c := range cases {
		done := c.run(ctx)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		counts[done.outcome]++
		r.row(c, done)
	}
	r.print("%d passed, %d failed, %d skipped after %s\n", counts[passed], counts[failed], counts[skipped], time.Since(began).Round(time.Second))
	if counts[failed] > 0 {
		return fmt.Errorf("%d of %d cases failed", counts[failed], len(cases))
	}
	return nil
}

// row prints a case, and of one that failed the end of what it said.
func (r runner) row(c fieldCase, done result) {
	r.print("%-*s  %-*s  %s  %7.1f  %s\n", kindWidth, c.kindName(), caseWidth, c.proves, done.outcome, done.took.Seconds(), done.figure)
	if done.outcome != failed {
		return
	}
	gist := done.gist
	if len(gist) == 0 {
		gist = strings.Split(strings.TrimSpace(string(done.said)), "\n")
	}
	for _, line := range gist[max(0, len(gist)-12):] {
		r.print("      %.200s\n", line)
	}
	name, err := keep(r.logs, c, done.said)
	if err != nil {
		name = err.Error()
	}
	r.print("      all of it: %s\n", name)
}

// print ignores that nobody may be reading any more: the exit code tells.
func (r runner) print(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format, args...) }
