package guardextension

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
)

const (
	// allowVariable lists ranges that are allowed whatever else is said, with commas between.
	allowVariable = "ODI_ALLOW_ADDRESSES"
	// nodeVariable has the address of the node.
	nodeVariable = "ODI_NODE_ADDRESS"
	// apiServerVariable is set by Kubernetes in every pod.
	apiServerVariable = "KUBERNETES_SERVICE_HOST"
	// keepAlive finds a backend that went away without a word.
	keepAlive = 30 * time.Second
)

// Errors of the guard. The manager finds their words in what an exporter says.
var (
	ErrAddress  = errors.New("address not allowed")
	ErrRedirect = errors.New("redirects are not followed")
)

type config struct{}

// NewFactory returns the factory of the odi_guard extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		component.MustNewType("odi_guard"),
		func() component.Config { return &config{} },
		func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
			r, err := rulesOf(os.Getenv)
			if err != nil {
				return nil, err
			}
			return &guard{cutter: newCutter(), rules: r}, nil
		},
		component.StabilityLevelBeta,
	)
}

// guard is safe for concurrent use.
type guard struct {
	*cutter
	rules rules
}

var (
	_ extensionmiddleware.GRPCClient        = (*guard)(nil)
	_ extensionmiddleware.HTTPClient        = (*guard)(nil)
	_ extensioncapabilities.PipelineWatcher = (*guard)(nil)
)

// GetGRPCClientOptions implements extensionmiddleware.GRPCClient. A dialer of
// one's own also keeps gRPC from proxies.
func (g *guard) GetGRPCClientOptions(context.Context) ([]grpc.DialOption, error) {
	dialer := g.dialer()
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", address)
	}
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(g.unary),
		grpc.WithContextDialer(dial),
		grpc.WithResolvers(names{resolver.Get("dns")}),
	}, nil
}

// GetHTTPRoundTripper implements extensionmiddleware.HTTPClient.
func (g *guard) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		transport, ok := base.(*http.Transport)
		if !ok {
			return nil, fmt.Errorf("odi_guard must be the last middleware: it got a %T", base)
		}
		transport = transport.Clone()
		transport.Proxy = nil
		transport.DialContext = g.dialer().DialContext
		return cuttable{g.cutter, noRedirects{hiddenPath{transport}}}, nil
	}, nil
}

func (g *guard) dialer() *net.Dialer {
	return &net.Dialer{KeepAlive: keepAlive, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %s", ErrAddress, address)
		}
		if !g.rules.allow(to.Addr()) {
			return fmt.Errorf("%w: %s", ErrAddress, to.Addr())
		}
		return nil
	}}
}

// noRedirects makes errors of answers that lead elsewhere.
type noRedirects struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (n noRedirects) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := n.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		_ = response.Body.Close() // Nothing of it is of use.
		return nil, fmt.Errorf("%w: %d to %s", ErrRedirect, response.StatusCode, whereTo(response))
	}
	return response, nil
}

// whereTo is the host of a redirect. The rest may be the request's own path, with a secret in it.
func whereTo(response *http.Response) string {
	location, err := response.Location()
	if err != nil || location.Host == "" {
		return "nowhere"
	}
	return location.Scheme + "://" + location.Host
}
