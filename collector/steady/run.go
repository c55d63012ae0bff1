package steady

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/odi-dev/odi/collector/components/liveprovider"
)

const (
	// pause between two starts where nothing changed meanwhile.
	pause = time.Second
	// mostPauses is how long one process tries: half a minute. A new one may have
	// more luck, for example with a port that this one cannot let go of.
	mostPauses = 30
	// liveScheme is that of the provider whose memory outlives a collector.
	liveScheme = "live"
)

// A runner runs one collector after the other until one ends well.
type runner struct {
	set    otelcol.CollectorSettings
	memory *liveprovider.Memory
}

func newRunner(set otelcol.CollectorSettings) *runner {
	r := &runner{set: set, memory: liveprovider.NewMemory()}
	resolver := &r.set.ConfigProviderSettings.ResolverSettings
	var factories []confmap.ProviderFactory
	for _, f := range resolver.ProviderFactories {
		if f.Create(confmap.ProviderSettings{}).Scheme() == liveScheme {
			f = liveprovider.NewFactoryWith(r.memory)
		}
		factories = append(factories, f)
	}
	resolver.ProviderFactories = factories
	return r
}

func (r *runner) run(ctx context.Context) error {
	for pauses := 0; ; {
		col, err := otelcol.NewCollector(r.set)
		if err != nil {
			return err
		}
		ran, err := r.runOne(ctx, col)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if ran {
			pauses = 0
		}
		parts, again := r.memory.Failed(err.Error())
		switch {
		case len(parts) > 0:
			say("left out what does not start: %s: %v", strings.Join(parts, ", "), err)
			continue
		case again:
			say("the configuration does not start, the one before stays: %v", err)
		default:
			say("starting again: %v", err)
		}
		if pauses++; pauses > mostPauses {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// runOne runs a collector to its end, and says whether it ever ran.
func (r *runner) runOne(ctx context.Context, col *otelcol.Collector) (ran bool, err error) {
	done := make(chan struct{})
	watched := make(chan bool)
	go func() { watched <- r.watch(col, done) }()
	defer func() {
		close(done)
		ran = <-watched
	}()
	return false, contained(func() error { return col.Run(ctx) })
}

// watch tells the memory what runs. What was given before a look that finds the
// collector running has started: a collector that cannot start what it was
// given ends.
func (r *runner) watch(col *otelcol.Collector, done <-chan struct{}) (ran bool) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return ran
		case <-tick.C:
		}
		given := r.memory.Given()
		if col.GetState() == otelcol.StateRunning {
			r.memory.Started(given)
			ran = true
		}
	}
}

// contained makes an error of a panic.
func contained(run func() error) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v\n%s", problem, debug.Stack())
		}
	}()
	return run()
}

// say prints a line between two collectors, none of whose loggers is there.
func say(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	fmt.Fprintf(os.Stderr, "{\"level\":\"error\",\"msg\":%q}\n", text)
}
