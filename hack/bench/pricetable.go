package main

import (
	"fmt"
	"os"
	"strings"
)

// writePrice writes docs/price.md.
func (b *bench) writePrice(path string) error {
	if len(b.table) == 0 || len(b.others) == 0 || len(b.goals) == 0 {
		return fmt.Errorf("%s needs all of the suite", path)
	}
	text := priceHead + strings.Join(b.table, "\n") + priceOthers + strings.Join(b.others, "\n") + priceGoals
	for _, g := range b.goals {
		text += g.line() + "\n"
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

const priceHead = `<!-- Written by make bench-protocols; do not edit. -->
# What tracing costs

Measured by ` + "`make bench-protocols`" + ` on a virtual machine of two cores that others used, too: the server on one, the client on the other, as fast as they can,
with ` + "`odi run`" + ` beside one of them and without, in turns; medians of five. What was measured is what a process pays; on another machine it is another number. Where the kernel refuses programs on
functions, as here, more is done by probes.

` + "`alone`" + ` is the CPU time of an operation without odi, ` + "`added`" + ` what odi adds to it in that process, ` + "`target`" + ` what it should be at most. ` + "`odi`" + ` is its own process for each span (target 1.5 us), ` +
	"`programs`" + ` what of it the kernel's
statistics say of the BPF programs, with those runs that return at once because the other end is not watched, and with what the statistics cost themselves (target 1,000 ns). ` + "`throughput`" + ` is that with odi to that without. Spans that odi did not count: none, or the command fails. Between two runs figures move by 1 to 2 us, and odi changes when a thread is woken: what is below zero is that.

| operation | watched | alone, us | added, us | target, us | odi, us | programs, ns | throughput | lost |
|---|---|---|---|---|---|---|---|---|
`

const priceOthers = `

## Who is not selected
What programs need that nobody has selected, while odi watches another one: in turns, medians of eleven. The target is 1 %.
The last column is without odi, and with a program that does nothing at each of the two tracepoints that calls on sockets pass: what the kernel takes to start any program there.

| operation | alone, ns | with odi | with programs that do nothing |
|---|---|---|---|
`

const priceGoals = `

## Whole programs, against their targets
The server is asked by wrk as fast as both can; bulk are 1.5 GB over loopback, of a client in Go that odi watches; memory is with idle targets. Medians of five, in turns with
nobody beside it; memory is measured once. A target that is missed says so.

| what | measured | target | |
|---|---|---|---|
`
