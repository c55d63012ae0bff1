package main

import (
	"fmt"
	"strings"
)

// goal is a line of the table of targets.
type goal struct {
	what   string
	value  float64
	unit   string
	target string // empty: it only compares
	missed bool
}

// goal adds a figure to the table of targets as well. One that is missed is said, and fails nothing: what
// a machine that others use, too, measures is no reason to stop.
func (b *bench) goal(f figure, what string, targets bool) {
	if len(f.Samples) > 0 {
		f.Value = median(f.Samples)
	}
	line := goal{what: what, value: f.Value, unit: f.Unit}
	if targets {
		sign := "<="
		if f.Least {
			sign = ">="
		}
		line.target, line.missed = fmt.Sprintf("%s %v", sign, f.Limit), !f.ok()
	}
	f.Free = true
	b.add(f)
	if line.missed {
		fmt.Printf("# missed: %s, the target is %s\n", f.Name, line.target)
	}
	b.goals = append(b.goals, line)
}

// line is one of the table.
func (g goal) line() string {
	if g.target == "" && strings.HasPrefix(g.unit, "not measured") {
		return fmt.Sprintf("| %s | %s | | |", g.what, g.unit)
	}
	verdict := ""
	switch {
	case g.missed:
		verdict = "**missed**"
	case g.target != "":
		verdict = "met"
	}
	unit := g.unit
	if unit == "ratio" {
		unit = ""
	}
	return strings.ReplaceAll(fmt.Sprintf("| %s | %.4g %s | %s | %s |", g.what, g.value, unit, g.target, verdict), "  ", " ")
}

// firstOf is the first line of a text, for a cell of a table.
func firstOf(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.ReplaceAll(line[:min(len(line), 200)], "|", "/")
}
