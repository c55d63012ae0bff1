package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
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
	out := flag.String("out", "bench/engine.json", "where to write the figures")
	window := flag.Duration("window", 2*time.Second, "how long each measurement takes")
	flag.Parse()
	if err := run(*odi, *out, *window); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(odi, out string, window time.Duration) error {
	if os.Geteuid() != 0 {
		return errors.New("loading BPF programs needs root")
	}
	odi, err := filepath.Abs(odi)
	if err != nil {
		return err
	}
	if _, err := os.Stat(odi); err != nil {
		return fmt.Errorf("finding odi (make build): %w", err)
	}
	b := &bench{odi: odi, window: window}
	for _, step := range []func() error{b.cost, b.kernelTime, b.loss, b.attach} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := write(out, b.figures); err != nil {
		return err
	}
	return check(b.figures)
}
