package memoryextension

import (
	"context"
	"errors"
	"runtime/debug"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"
)

// Config of Go's memory.
type Config struct {
	// LimitPercentage of the container's limit that Go uses before it collects garbage at all cost.
	LimitPercentage int64 `mapstructure:"limit_percentage"`
}

// Validate implements the collector's configuration check.
func (c *Config) Validate() error {
	if c.LimitPercentage <= 0 || c.LimitPercentage >= 100 {
		return errors.New("limit_percentage must be between 1 and 99")
	}
	return nil
}

// NewFactory returns the factory of the odi_memory extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		component.MustNewType("odi_memory"),
		func() component.Config { return &Config{} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &limiter{config: cfg.(*Config), log: set.Logger, root: "/"}, nil
		},
		component.StabilityLevelBeta,
	)
}

type limiter struct {
	component.ShutdownFunc
	config *Config
	log    *zap.Logger
	root   string
}

// Start implements component.Component. Without a limit of the container, or
// where it cannot be read, Go decides by itself.
func (l *limiter) Start(context.Context, component.Host) error {
	limit, err := containerLimit(l.root)
	if err != nil {
		l.log.Warn("the container's memory limit cannot be read", zap.Error(err))
		return nil
	}
	if limit == unlimited {
		l.log.Info("the container has no memory limit")
		return nil
	}
	soft := limit / 100 * l.config.LimitPercentage
	debug.SetMemoryLimit(soft)
	l.log.Info("set Go's memory limit", zap.Int64("bytes", soft), zap.Int64("of", limit))
	return nil
}
