package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// rounds is odd, so that the median is one that was measured.
const rounds = 5

func main() {
	if len(os.Args) > 1 && os.Args[1] == "role" {
		if err := play(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	odi := flag.String("odi", "bin/odi", "the odi binary to measure")
	suite := flag.String("suite", "engine", "what to measure: engine (one process under load), scale (many processes), protocols (each of them, and programs that nobody selects) or agents (the ways to instrument)")
	out := flag.String("out", "", "where to write the figures (default bench/SUITE.json)")
	window := flag.Duration("window", 2*time.Second, "how long each measurement takes")
	only := flag.String("only", "", "measure only these, by comma: cost, kernel, unrecorded, loss, attach; targets, execs; http, grpc, ...; java, python, nodejs; then no figures are written")
	doc := flag.String("update", "", "write the table of the suite protocols into this document")
	turns := flag.Int("rounds", agentRounds, "how often the suite agents measures each way")
	flag.Parse()
	if *out == "" {
		*out = filepath.Join("bench", *suite+".json")
	}
	if err := run(&bench{odi: *odi, window: *window, rounds: *turns, doc: *doc}, *out, *only, *suite); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// step is a part of a suite; it adds figures.
type step struct {
	name string
	run  func() error
}

func (b *bench) suites() map[string][]step {
	protocolSteps := []step{}
	for _, p := range protocols() {
		protocolSteps = append(protocolSteps, step{p.name, b.protocolStep(p)})
	}
	return map[string][]step{
		"protocols": append(protocolSteps, step{"unselected", b.unselected}, step{"wrk", b.underWrk}, step{"bulk", b.bulk}, step{"paced", b.paced}, step{"memory", b.memory}),
		"engine":    {{"cost", b.cost}, {"kernel", b.kernelTime}, {"unrecorded", b.unrecorded}, {"loss", b.loss}, {"attach", b.attach}},
		"scale":     {{"targets", b.targets}, {"execs", b.execs}},
		"agents":    {{"java", b.ofAgents("java")}, {"python", b.ofAgents("python")}, {"nodejs", b.ofAgents("nodejs")}},
	}
}

func run(b *bench, out, only, suite string) error {
	if os.Geteuid() != 0 {
		return errors.New("loading BPF programs needs root")
	}
	var err error
	if b.odi, err = filepath.Abs(b.odi); err != nil {
		return err
	}
	if _, err := os.Stat(b.odi); err != nil {
		return fmt.Errorf("finding odi (make build): %w", err)
	}
	for _, step := range b.suites()[suite] {
		if only != "" && !slices.Contains(strings.Split(only, ","), step.name) {
			continue
		}
		if err := step.run(); err != nil {
			return err
		}
	}
	if len(b.figures) == 0 {
		return fmt.Errorf("-suite %s -only %s: nothing is called so", suite, only)
	}
	return b.finish(out, only == "")
}

// finish writes what was measured, if it is all, and judges it.
func (b *bench) finish(out string, whole bool) error {
	if whole {
		if err := write(out, b.figures); err != nil {
			return err
		}
	}
	if b.doc != "" {
		if err := b.writePrice(b.doc); err != nil {
			return err
		}
	}
	return check(b.figures)
}
