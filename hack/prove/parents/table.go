package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// row is one runtime of the table.
type row struct {
	name   string
	levels []verdict
	how    string
	lost   int // requests to the backend that have no span
}

func (r row) wrong() int {
	n := 0
	for _, v := range r.levels {
		n += len(v.wrong)
	}
	return n
}

func (v verdict) share() string {
	if v.linked == v.asked {
		return "1"
	}
	if v.linked == 0 {
		return "0"
	}
	return fmt.Sprintf("%.3f", float64(v.linked)/float64(v.asked))
}

// String is the line that is printed while the bench runs.
func (r row) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-36s", r.name)
	for i, v := range r.levels {
		fmt.Fprintf(&b, " %3d clients: %5s of %4d", levels[i].clients, v.share(), v.asked)
	}
	fmt.Fprintf(&b, "  own %d  wrong %d  %s", r.own(), r.wrong(), r.how)
	return b.String()
}

func (r row) own() int {
	n := 0
	for _, v := range r.levels {
		n += v.own
	}
	return n
}

const (
	tableBegin = "<!-- measured by make prove-parents -->\n"
	tableEnd   = "<!-- end -->\n"
)

// update writes the table between its marks in a document.
func update(file string, rows []row) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(text, []byte(tableBegin))
	_, after, ends := bytes.Cut(rest, []byte(tableEnd))
	if !found || !ends {
		return fmt.Errorf("%s has no marks for the table", file)
	}
	out := append(bytes.Clone(before), tableBegin+markdown(rows)+tableEnd...)
	return os.WriteFile(file, append(out, after...), 0o644)
}

func markdown(rows []row) string {
	var b strings.Builder
	b.WriteString("| program | 1 client | 10 clients | 100 clients | linked by | own work | wrong |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		b.WriteString("| " + r.name)
		for _, v := range r.levels {
			b.WriteString(" | " + v.share())
		}
		how := r.how
		if how == "" {
			how = "-"
		}
		fmt.Fprintf(&b, " | %s | %d | %d |\n", how, r.own(), r.wrong())
	}
	return b.String()
}
