package guardextension

import "google.golang.org/grpc/resolver"

// names is gRPC's own resolver of names, but for its end. That waits for the name
// server, 5 s for one that is silent, and a reload ends the exporters one after the
// other: nothing would come in for as long as that takes for all of them.
type names struct{ resolver.Builder }

// Build implements resolver.Builder.
func (n names) Build(target resolver.Target, to resolver.ClientConn, options resolver.BuildOptions) (resolver.Resolver, error) {
	inner, err := n.Builder.Build(target, to, options)
	if err != nil {
		return nil, err
	}
	return endsAtOnce{inner}, nil
}

// endsAtOnce leaves the end to itself: what a resolver says after the connection's end is not heard.
type endsAtOnce struct{ resolver.Resolver }

// Close implements resolver.Resolver.
func (e endsAtOnce) Close() { go e.Resolver.Close() }
