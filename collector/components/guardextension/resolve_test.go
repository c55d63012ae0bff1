package guardextension

import (
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
)

// A silent is a resolver whose name server does not answer.
type silent struct {
	resolver.Builder
	asked, answered chan struct{}
}

// Build implements resolver.Builder.
func (s silent) Build(resolver.Target, resolver.ClientConn, resolver.BuildOptions) (resolver.Resolver, error) {
	close(s.asked)
	return s, nil
}

// ResolveNow implements resolver.Resolver.
func (silent) ResolveNow(resolver.ResolveNowOptions) {}

// Close implements resolver.Resolver.
func (s silent) Close() { <-s.answered }

// TestASilentNameServerDoesNotHoldUpTheEnd of a connection, and so of a configuration.
func TestASilentNameServerDoesNotHoldUpTheEnd(t *testing.T) {
	dns := silent{Builder: resolver.Get("dns"), asked: make(chan struct{}), answered: make(chan struct{})}
	t.Cleanup(func() { close(dns.answered) })
	connection, err := grpc.NewClient("host.example.com:4317", grpc.WithResolvers(names{dns}), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	connection.Connect()
	<-dns.asked
	ended := make(chan error, 1)
	go func() { ended <- connection.Close() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the end waits for the name server")
	}
}
