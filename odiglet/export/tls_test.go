package export

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/odi-dev/odi/internal/authority"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/peers"
	"github.com/odi-dev/odi/odiglet/signal"
)

// serveTLS is a receiver that takes clients of a hop alone. It ends with the function.
func (r *receiver) serveTLS(t *testing.T, address string, files map[string][]byte) func() {
	t.Helper()
	pair, err := tls.X509KeyPair(files["server.crt"], files["server.key"])
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(files["clients.crt"])
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	})))
	ptraceotlp.RegisterGRPCServer(srv, r)
	go func() { _ = srv.Serve(listener) }() // It ends with Stop.
	t.Cleanup(srv.Stop)
	return srv.Stop
}

// TestRenewedCertificatesAreUsedWithoutARestart changes all that both ends know,
// authorities included, below a sink that goes on.
func TestRenewedCertificatesAreUsedWithoutARestart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // Only its address is of use.
	dir := t.TempDir()
	write := func(hop peers.Hop) {
		for name, content := range hop.Client(t) {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	old, renewed := peers.New(t, authority.ToNode), peers.New(t, authority.ToNode)
	write(old)
	var r receiver
	stop := r.serveTLS(t, address, old.Server(t, "localhost"))
	settings, err := FromEnv(signal.Traces, "", lookup(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":           "https://localhost:" + port(t, address),
		"OTEL_EXPORTER_OTLP_CERTIFICATE":        filepath.Join(dir, "node-collector.crt"),
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": filepath.Join(dir, "client.crt"),
		"OTEL_EXPORTER_OTLP_CLIENT_KEY":         filepath.Join(dir, "client.key"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	sink, err := NewOTLP(Options{
		Settings: map[*signal.Signal]Settings{signal.Traces: settings, signal.Metrics: settings}, Log: slog.New(slog.DiscardHandler),
		Backoff: Backoff{First: 10 * time.Millisecond, Longest: 100 * time.Millisecond, Spent: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sink.Close(t.Context()) }) // All was taken, or the test has failed.
	sink.Send(someSpans(t, 3))
	testkit.Eventually(t, 10*time.Second, "the first spans are taken", func() bool { return r.taken() == 3 })

	stop()
	r.serveTLS(t, address, renewed.Server(t, "localhost"))
	sink.Send(someSpans(t, 4))
	testkit.Eventually(t, 10*time.Second, "the old certificates are refused", func() bool { return sink.LastError() != nil })
	write(renewed)
	testkit.Eventually(t, 20*time.Second, "the new ones are taken", func() bool { return r.taken() == 7 })
}

func (r *receiver) taken() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spans
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
