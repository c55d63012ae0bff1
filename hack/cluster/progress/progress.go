// Package progress runs steps one after the other and says of each what it is,
// about how long it takes and how long it took, so that nobody waits in the dark.
package progress

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Step is one thing to do.
type Step struct {
	What  string        // "building Kubernetes v1.36.3"
	About time.Duration // About how long it takes; 0 when it is quick.
	First bool          // It takes About the first time only, and is quick once it is cached.
	Done  func() bool   // Says that there is nothing to do; nil means never.
	Run   func(ctx context.Context) error
}

// Run runs the steps in order until one fails.
func Run(ctx context.Context, out io.Writer, steps []Step) error {
	for i, step := range steps {
		head := fmt.Sprintf("[%d/%d] %s", i+1, len(steps), step.What)
		if step.Done != nil && step.Done() {
			fmt.Fprintln(out, head+": already there")
			continue
		}
		fmt.Fprintln(out, head+expectation(step))
		start := time.Now()
		if err := step.Run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.What, err)
		}
		if took := time.Since(start); took > time.Second {
			fmt.Fprintf(out, "      took %s\n", took.Round(100*time.Millisecond))
		}
	}
	return nil
}

func expectation(step Step) string {
	switch {
	case step.About == 0:
		return ""
	case step.First:
		return " (the first time about " + about(step.About) + ")"
	}
	return " (about " + about(step.About) + ")"
}

func about(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
}
