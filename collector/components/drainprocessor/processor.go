package drainprocessor

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"
)

const (
	stability = component.StabilityLevelBeta
	lookEvery = 50 * time.Millisecond
	// stillMoving is how long a queue may stand still before it is given up: a
	// moment more than the longest pause between two attempts to send.
	stillMoving = 11 * time.Second
)

// Config of the end.
type Config struct {
	// Longest is how long the end may be held up. A pod has to have more time to end than that.
	Longest time.Duration `mapstructure:"longest"`
}

// Validate implements the collector's configuration check.
func (c *Config) Validate() error {
	if c.Longest <= 0 {
		return errors.New("longest must be positive")
	}
	return nil
}

// Queues is an extension that knows how much waits in the queues.
type Queues interface {
	// Waiting is how many spans, data points and log records do.
	Waiting() int64
}

// NewFactory returns the factory of the odi_drain processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		component.MustNewType("odi_drain"),
		func() component.Config { return &Config{} },
		processor.WithTraces(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
			return struct {
				*drain
				consumer.Traces
			}{newDrain(set, cfg), next}, nil
		}, stability),
		processor.WithMetrics(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
			return struct {
				*drain
				consumer.Metrics
			}{newDrain(set, cfg), next}, nil
		}, stability),
		processor.WithLogs(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
			return struct {
				*drain
				consumer.Logs
			}{newDrain(set, cfg), next}, nil
		}, stability),
	)
}

type drain struct {
	config *Config
	log    *zap.Logger
	// ended says whether the process is to end.
	ended  func() bool
	queues []Queues
}

func newDrain(set processor.Settings, cfg component.Config) *drain {
	listen()
	return &drain{config: cfg.(*Config), log: set.Logger, ended: processEnds}
}

// Start implements component.Component.
func (d *drain) Start(_ context.Context, host component.Host) error {
	for _, extension := range host.GetExtensions() {
		if queues, ok := extension.(Queues); ok {
			d.queues = append(d.queues, queues)
		}
	}
	return nil
}

// Shutdown implements component.Component.
func (d *drain) Shutdown(ctx context.Context) error {
	if !d.ended() || d.waiting() == 0 {
		return nil
	}
	began := time.Now()
	lost := d.wait(ctx, began)
	d.log.Info("emptied the queues before the end", zap.Int64("left", lost), zap.Duration("took", time.Since(began)))
	return nil
}

// wait returns what is left when all is empty, when nothing moves, or when the time is over.
func (d *drain) wait(ctx context.Context, began time.Time) int64 {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	left, moved := d.waiting(), began
	for left > 0 {
		select {
		case <-ctx.Done():
			return left
		case now := <-tick.C:
			before := left
			if left = d.waiting(); left < before {
				moved = now
			}
			// One for all signals: what the first has waited for, the second does not.
			if now.Sub(end()) > d.config.Longest || now.Sub(moved) > stillMoving {
				return left
			}
		}
	}
	return 0
}

func (d *drain) waiting() int64 {
	var sum int64
	for _, q := range d.queues {
		sum += q.Waiting()
	}
	return sum
}
