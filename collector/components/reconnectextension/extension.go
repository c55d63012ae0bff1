package reconnectextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

const (
	// longestPause keeps recovery well within the 30 s in which a
	// destination's state must be known.
	longestPause = 5 * time.Second
	// connectTimeout bounds one attempt; a packet filter that drops silently
	// would hold it for gRPC's 20 s otherwise.
	connectTimeout = 5 * time.Second
)

type config struct{}

type middleware struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensionmiddleware.GRPCClient = middleware{}

// GetGRPCClientOptions implements extensionmiddleware.GRPCClient.
func (middleware) GetGRPCClientOptions(context.Context) ([]grpc.DialOption, error) {
	pause := backoff.DefaultConfig
	pause.MaxDelay = longestPause
	return []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
		Backoff:           pause,
		MinConnectTimeout: connectTimeout,
	})}, nil
}

// NewFactory returns the factory of the odi_reconnect extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		component.MustNewType("odi_reconnect"),
		func() component.Config { return &config{} },
		func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
			return middleware{}, nil
		},
		component.StabilityLevelBeta,
	)
}
