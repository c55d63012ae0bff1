package export

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
)

// TestTheEndWaitsForAReceiverThatRestarts has the receiver come back after Close has begun.
func TestTheEndWaitsForAReceiverThatRestarts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	sink, accounts := newTestSink(t, "http://"+address, map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
	for range 10 {
		accounts.Seen(100)
		sink.Send(someSpans(t, 100))
	}
	r := &receiver{}
	time.AfterFunc(300*time.Millisecond, func() {
		again, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		srv := grpc.NewServer()
		ptraceotlp.RegisterGRPCServer(srv, r)
		t.Cleanup(srv.Stop)
		go func() { _ = srv.Serve(again) }() // It ends with Stop.
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := sink.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(books.Balance{Seen: 1000, Sent: 1000, Dropped: map[loss.Name]uint64{}}, accounts.Balance(nil)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}
