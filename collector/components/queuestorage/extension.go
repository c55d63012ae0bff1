package queuestorage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

const (
	// defaultSweepAfter outlives a Destination that is not valid for some minutes,
	// because its Secret is being replaced.
	defaultSweepAfter = 15 * time.Minute
	sweepEvery        = time.Minute
	folderMode        = 0o700
)

// Config of the queues of one collector.
type Config struct {
	// Directory that holds nothing but the queues.
	Directory string `mapstructure:"directory"`
	// MaxBytes bounds all of them, in bytes on the disk.
	MaxBytes int64 `mapstructure:"max_bytes"`
	// MaxQueueBytes bounds each of them, in bytes on the disk.
	MaxQueueBytes int64 `mapstructure:"max_queue_bytes"`
	// SweepAfter is how long a queue stays that no exporter asks for.
	SweepAfter time.Duration `mapstructure:"sweep_after"`
}

// Validate implements the collector's configuration check.
func (c *Config) Validate() error {
	if !filepath.IsAbs(c.Directory) {
		return errors.New("directory must be an absolute path")
	}
	if c.MaxBytes <= 0 || c.MaxQueueBytes <= 0 {
		return errors.New("max_bytes and max_queue_bytes must be positive")
	}
	if c.SweepAfter <= 0 {
		return errors.New("sweep_after must be positive")
	}
	return nil
}

// NewFactory returns the factory of the odi_queue extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		component.MustNewType("odi_queue"),
		func() component.Config { return &Config{SweepAfter: defaultSweepAfter} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return newStore(set.TelemetrySettings, cfg.(*Config))
		},
		component.StabilityLevelBeta,
	)
}

// store is all queues of a collector. It is safe for concurrent use.
type store struct {
	config *Config
	log    *zap.Logger
	gauges metric.Registration
	room   *room
	stop   context.CancelFunc
	swept  sync.WaitGroup

	mu     sync.Mutex
	queues map[string]*queue // by folder
}

var (
	_ storage.Extension                     = (*store)(nil)
	_ extensioncapabilities.PipelineWatcher = (*store)(nil)
)

func newStore(set component.TelemetrySettings, config *Config) (*store, error) {
	s := &store{
		config: config, log: set.Logger, stop: func() {},
		room:   &room{max: config.MaxBytes, perQueue: config.MaxQueueBytes, used: map[*queue]int64{}},
		queues: map[string]*queue{},
	}
	return s, s.measure(set)
}

// Start implements component.Component.
func (s *store) Start(context.Context, component.Host) error {
	if err := os.MkdirAll(s.config.Directory, folderMode); err != nil {
		return fmt.Errorf("making the folder of the queues: %w", err)
	}
	used, err := diskUsage(s.config.Directory)
	if err != nil {
		return fmt.Errorf("measuring the queues: %w", err)
	}
	s.room.forceOthers(used)
	return nil
}

// Ready implements extensioncapabilities.PipelineWatcher: every exporter has asked for its queue by now.
func (s *store) Ready() error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.swept.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			s.sweep(time.Now())
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return nil
}

// NotReady implements extensioncapabilities.PipelineWatcher.
func (*store) NotReady() error { return nil }

// Shutdown implements component.Component.
func (s *store) Shutdown(context.Context) error {
	s.stop()
	s.swept.Wait()
	if s.gauges != nil {
		_ = s.gauges.Unregister() // It cannot fail for a registration of the same meter.
	}
	return nil
}

// GetClient implements storage.Extension.
func (s *store) GetClient(_ context.Context, _ component.Kind, id component.ID, name string) (storage.Client, error) {
	q := &queue{
		owner: id.String(), signal: name,
		folder: filepath.Join(s.config.Directory, folderName(id.String(), name)),
		room:   s.room,
		asides: filepath.Join(s.config.Directory, asidesFolder),
		log:    s.log.With(zap.String("exporter", id.String()), zap.String("data_type", name)),
	}
	if err := q.open(); err != nil {
		return nil, fmt.Errorf("opening the queue of %s: %w", id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queues[q.folder] = q
	return q, nil
}
