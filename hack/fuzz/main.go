package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

// least is how many targets there must be: fewer, and the search is broken.
const least = 12

func main() {
	r := run{dir: ".", least: least, out: os.Stdout}
	flag.DurationVar(&r.each, "each", 30*time.Second, "how long each target runs")
	// One more than there are processors: a target waits for its worker, and a worker for its target, in turns.
	flag.IntVar(&r.atOnce, "at-once", runtime.NumCPU()+1, "how many targets run at a time")
	only := flag.String("run", "", "run only the targets whose package and name this matches (regular expression)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := r.matching(ctx, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

// matching runs the targets that a pattern matches; the empty one matches all.
func (r run) matching(ctx context.Context, pattern string) error {
	only, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	packages, err := r.find(ctx)
	if err != nil {
		return err
	}
	return r.all(ctx, chosen(packages, only))
}
