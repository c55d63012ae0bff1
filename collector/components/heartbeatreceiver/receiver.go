package heartbeatreceiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const (
	stability = component.StabilityLevelBeta
	// defaultInterval leaves room for five beats within the 30 s in which a
	// dead backend must be known.
	defaultInterval = 5 * time.Second
	// longestError bounds the label: a backend may answer with a whole page.
	longestError = 512
)

// Config of one heartbeat.
type Config struct {
	// Destination is the namespace/name that the gauge is labelled with.
	Destination string `mapstructure:"destination"`
	// UID and Generation say of which Destination, as it was when: labels, too.
	UID        string `mapstructure:"uid"`
	Generation int64  `mapstructure:"generation"`
	// Interval between two beats.
	Interval time.Duration `mapstructure:"interval"`
}

// Validate implements the collector's configuration check.
func (c *Config) Validate() error {
	if c.Destination == "" {
		return errors.New("destination is required")
	}
	if c.Interval <= 0 {
		return errors.New("interval must be positive")
	}
	return nil
}

// NewFactory returns the factory of the odi_heartbeat receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		component.MustNewType("odi_heartbeat"),
		func() component.Config { return &Config{Interval: defaultInterval} },
		receiver.WithTraces(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
			return newHeart(set, cfg, func(ctx context.Context) error { return next.ConsumeTraces(ctx, ptrace.NewTraces()) })
		}, stability),
		receiver.WithMetrics(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			return newHeart(set, cfg, func(ctx context.Context) error { return next.ConsumeMetrics(ctx, pmetric.NewMetrics()) })
		}, stability),
		receiver.WithLogs(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			return newHeart(set, cfg, func(ctx context.Context) error { return next.ConsumeLogs(ctx, plog.NewLogs()) })
		}, stability),
	)
}

// heart beats from Start to Shutdown.
type heart struct {
	config *Config
	beat   func(context.Context) error
	gauge  metric.Registration
	stop   context.CancelFunc // nil until it beats
	done   chan struct{}

	mu      sync.Mutex
	beats   bool  // from Start on
	answers bool  // a first answer is known
	answer  error // the latest one
}

func newHeart(set receiver.Settings, cfg component.Config, beat func(context.Context) error) (*heart, error) {
	h := &heart{config: cfg.(*Config), beat: beat, done: make(chan struct{})}
	meter := set.MeterProvider.Meter("github.com/odi-dev/odi/collector/heartbeat")
	up, err := meter.Int64ObservableGauge("odi_destination_up",
		metric.WithDescription("1 when the destination answered the latest empty batch, 0 with its words when it refused."))
	if err != nil {
		return nil, fmt.Errorf("making the gauge: %w", err)
	}
	configured, err := meter.Int64ObservableGauge("odi_destination_configured",
		metric.WithDescription("1 for each destination that the running configuration has."))
	if err != nil {
		return nil, fmt.Errorf("making the gauge: %w", err)
	}
	h.gauge, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		h.observe(o, configured, up)
		return nil
	}, configured, up)
	if err != nil {
		return nil, fmt.Errorf("making the gauge: %w", err)
	}
	return h, nil
}

// Start implements component.Component.
func (h *heart) Start(context.Context, component.Host) error {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.mu.Lock()
	h.beats = true
	h.mu.Unlock()
	go func() {
		defer close(h.done)
		h.run(ctx)
	}()
	return nil
}

// Shutdown implements component.Component. It waits for a beat under way,
// which the exporter's timeout bounds. One that never beat, because something
// else did not start, has nothing to wait for.
func (h *heart) Shutdown(context.Context) error {
	if h.gauge != nil {
		_ = h.gauge.Unregister() // it cannot fail for a registration of the same meter
	}
	if h.stop == nil {
		return nil
	}
	h.stop()
	select {
	case <-h.done:
	case <-time.After(h.config.Interval):
	}
	return nil
}

func (h *heart) run(ctx context.Context) {
	tick := time.NewTicker(h.config.Interval)
	defer tick.Stop()
	for {
		err := h.beat(ctx)
		if ctx.Err() != nil {
			return
		}
		h.mu.Lock()
		h.answers, h.answer = true, err
		h.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *heart) observe(o metric.Observer, configured, up metric.Int64Observable) {
	h.mu.Lock()
	defer h.mu.Unlock()
	whose := []attribute.KeyValue{
		attribute.String("destination", h.config.Destination),
		attribute.String("uid", h.config.UID),
		attribute.Int64("generation", h.config.Generation),
	}
	if h.beats {
		o.ObserveInt64(configured, 1, metric.WithAttributes(whose...))
	}
	switch {
	case !h.answers:
	case h.answer == nil:
		o.ObserveInt64(up, 1, metric.WithAttributes(whose...))
	default:
		o.ObserveInt64(up, 0, metric.WithAttributes(append(whose, attribute.String("error", shorten(h.answer.Error())))...))
	}
}

func shorten(words string) string {
	if len(words) <= longestError {
		return words
	}
	return strings.ToValidUTF8(words[:longestError], "") + "..."
}
