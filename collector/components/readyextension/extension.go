package readyextension

import (
	"context"
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errNotReady is one that senders repeat their data after.
var errNotReady = status.Error(codes.Unavailable, "the collector is starting or ending")

type config struct{}

// NewFactory returns the factory of the odi_ready extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		component.MustNewType("odi_ready"),
		func() component.Config { return &config{} },
		func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
			return &gate{}, nil
		},
		component.StabilityLevelBeta,
	)
}

// gate is safe for concurrent use.
type gate struct {
	component.StartFunc
	component.ShutdownFunc
	open atomic.Bool
}

var (
	_ extensioncapabilities.PipelineWatcher = (*gate)(nil)
	_ extensionmiddleware.GRPCServer        = (*gate)(nil)
	_ extensionmiddleware.HTTPServer        = (*gate)(nil)
)

// Ready implements extensioncapabilities.PipelineWatcher.
func (g *gate) Ready() error {
	g.open.Store(true)
	return nil
}

// NotReady implements extensioncapabilities.PipelineWatcher.
func (g *gate) NotReady() error {
	g.open.Store(false)
	return nil
}

// GetGRPCServerOptions implements extensionmiddleware.GRPCServer. OTLP has no streams.
func (g *gate) GetGRPCServerOptions(context.Context) ([]grpc.ServerOption, error) {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(
		func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if !g.open.Load() {
				return nil, errNotReady
			}
			return next(ctx, request)
		},
	)}, nil
}

// GetHTTPHandler implements extensionmiddleware.HTTPServer.
func (g *gate) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !g.open.Load() {
				w.Header().Set("Retry-After", "1")
				http.Error(w, "the collector is starting or ending", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		}), nil
	}, nil
}
