package oauthextension

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"google.golang.org/grpc"
)

// Config is what one destination's tokens are fetched with.
type Config struct {
	TokenURL     string              `mapstructure:"token_url"`
	ClientID     string              `mapstructure:"client_id"`
	ClientSecret configopaque.String `mapstructure:"client_secret"`
	// Scope has scopes with spaces between.
	Scope string `mapstructure:"scope"`
	// Audience is a parameter that some token endpoints want.
	Audience string `mapstructure:"audience"`
	// TLS is for the token endpoint.
	TLS configtls.ClientConfig `mapstructure:"tls"`
	// Middlewares of requests to the token endpoint.
	Middlewares []configmiddleware.Config `mapstructure:"middlewares"`
}

// Validate implements the collector's configuration check.
func (c *Config) Validate() error {
	if c.TokenURL == "" || c.ClientID == "" || c.ClientSecret == "" {
		return errors.New("token_url, client_id and client_secret are needed")
	}
	return nil
}

// NewFactory returns the factory of the odi_oauth2 extension.
func NewFactory() extension.Factory { return NewFactoryWith(func(string) {}) }

// NewFactoryWith is NewFactory that tells each token as it comes: who prints what
// backends answer has to keep it out.
func NewFactoryWith(tell func(token string)) extension.Factory {
	return extension.NewFactory(
		component.MustNewType("odi_oauth2"),
		func() component.Config { return &Config{} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &middleware{config: cfg.(*Config), telemetry: set.TelemetrySettings, tell: tell}, nil
		},
		component.StabilityLevelBeta,
	)
}

// middleware is safe for concurrent use from Start on.
type middleware struct {
	config    *Config
	telemetry component.TelemetrySettings
	tell      func(string)
	tokens    *tokens
}

var (
	_ extensionmiddleware.GRPCClient = (*middleware)(nil)
	_ extensionmiddleware.HTTPClient = (*middleware)(nil)
)

// Start implements component.Component. It fetches nothing, and never fails: a
// client that cannot be made is what each request says.
func (m *middleware) Start(ctx context.Context, host component.Host) error {
	client, err := m.client(ctx, host)
	m.tokens = newTokens(m.config, client, m.tell)
	m.tokens.broken = err
	return nil
}

// Shutdown implements component.Component.
func (m *middleware) Shutdown(context.Context) error {
	if m.tokens != nil {
		m.tokens.end()
	}
	return nil
}

// client is one as exporters have it, for the token endpoint.
func (m *middleware) client(ctx context.Context, host component.Host) (*http.Client, error) {
	c := confighttp.NewDefaultClientConfig()
	c.Endpoint, c.TLS, c.Middlewares = m.config.TokenURL, m.config.TLS, m.config.Middlewares
	return c.ToClient(ctx, host.GetExtensions(), m.telemetry)
}

// GetGRPCClientOptions implements extensionmiddleware.GRPCClient.
func (m *middleware) GetGRPCClientOptions(context.Context) ([]grpc.DialOption, error) {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(m.tokens.unary)}, nil
}

// GetHTTPRoundTripper implements extensionmiddleware.HTTPClient.
func (m *middleware) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		return signed{tokens: m.tokens, next: base}, nil
	}, nil
}
