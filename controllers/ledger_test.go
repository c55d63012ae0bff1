package controllers

import (
	"context"
	"net"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// A ledger is a backend that knows each span by its name.
type ledger struct {
	ptraceotlp.UnimplementedGRPCServer
	address string
	mu      sync.Mutex
	spans   map[string]int
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{address: loopback.Address(t), spans: map[string]int{}}
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(server, l)
	go func() { _ = server.Serve(listener) }() // It ends with Stop.
	t.Cleanup(server.Stop)
	return l
}

// Export implements ptraceotlp.GRPCServer.
func (l *ledger) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, rs := range r.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				l.spans[s.Name()]++
			}
		}
	}
	return ptraceotlp.NewExportResponse(), nil
}

func (l *ledger) different() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.spans)
}

func (l *ledger) twice() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := 0
	for _, times := range l.spans {
		count += times - 1
	}
	return count
}
