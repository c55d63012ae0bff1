package readyextension

import (
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func TestNothingIsTakenUntilAllRuns(t *testing.T) {
	g := &gate{}
	options, err := g.GetGRPCServerOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // It ends with Stop.
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	steps := []struct {
		what string
		turn func() error
		want codes.Code
	}{
		{"starting", func() error { return nil }, codes.Unavailable},
		{"running", g.Ready, codes.OK},
		{"ending", g.NotReady, codes.Unavailable},
	}
	for _, step := range steps {
		if err := step.turn(); err != nil {
			t.Fatal(err)
		}
		_, err := healthpb.NewHealthClient(connection).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if got := status.Code(err); got != step.want {
			t.Errorf("%s: %v, want %v", step.what, got, step.want)
		}
	}
}
