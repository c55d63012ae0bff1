package agentsextension

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

// staleAfter is how long a table is good: the odiglet asks every few seconds. Who has
// an address now may be another later.
const staleAfter = time.Minute

// Config of the extension.
type Config struct {
	// Endpoint is where the odiglet puts its table.
	Endpoint string `mapstructure:"endpoint"`
	// CertFile and KeyFile are the server's, ClientCAFile has the authorities of odiglets.
	CertFile     string `mapstructure:"cert_file"`
	KeyFile      string `mapstructure:"key_file"`
	ClientCAFile string `mapstructure:"client_ca_file"`
}

// Validate implements the collector's configuration check.
func (c *Config) Validate() error {
	if c.Endpoint == "" || c.CertFile == "" || c.KeyFile == "" || c.ClientCAFile == "" {
		return errors.New("endpoint, cert_file, key_file and client_ca_file are needed")
	}
	return nil
}

// NewFactory returns the factory of the odi_agents extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		component.MustNewType("odi_agents"),
		func() component.Config { return &Config{} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return newExtension(set, cfg.(*Config))
		},
		component.StabilityLevelBeta,
	)
}

// Extension is safe for concurrent use.
type Extension struct {
	config  *Config
	log     *zap.Logger
	refused metric.Int64Counter
	now     func() time.Time
	server  *http.Server
	done    sync.WaitGroup
	epoch   string

	mu       sync.Mutex
	index    *index
	hash     string
	heard    time.Time // of the odiglet
	reported map[string]map[string]uint64
	inside   int
	insideOf map[netip.Addr]int
}

var _ extensionmiddleware.HTTPServer = (*Extension)(nil)

func newExtension(set extension.Settings, config *Config) (*Extension, error) {
	refused, err := set.MeterProvider.Meter("github.com/odi-dev/odi/collector/agents").Int64Counter("odi_agents_refused",
		metric.WithDescription("Requests of senders who may not send, or not yet."))
	if err != nil {
		return nil, fmt.Errorf("making a counter: %w", err)
	}
	return &Extension{
		config: config, log: set.Logger, refused: refused, now: time.Now, epoch: rand.Text(),
		reported: make(map[string]map[string]uint64), insideOf: make(map[netip.Addr]int),
	}, nil
}

// Start implements component.Component.
func (e *Extension) Start(ctx context.Context, _ component.Host) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.config.Endpoint)
	if err != nil {
		return fmt.Errorf("listening for the odiglet: %w", err)
	}
	e.server = e.newServer()
	e.done.Go(func() {
		if err := e.server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			e.log.Error("the odiglet cannot say who is who any more", zap.Error(err))
		}
	})
	return nil
}

// Shutdown implements component.Component.
func (e *Extension) Shutdown(context.Context) error {
	if e.server == nil {
		return nil
	}
	err := e.server.Close()
	e.done.Wait()
	if err != nil {
		return fmt.Errorf("closing the odiglet's way in: %w", err)
	}
	return nil
}
