package answer_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // What the collector sends is compressed.
	"google.golang.org/grpc/status"
)

// says is a backend over HTTP with one answer.
func says(code int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body)) // The test sees what arrived.
	}
}

// overHTTP serves without TLS.
func overHTTP(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// overTLS serves with a certificate of one's choice.
func overTLS(t *testing.T, config *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(says(200, ""))
	server.TLS = config
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// certificate is one that its own authority signed; change makes it a bad one.
func certificate(t *testing.T, change func(*x509.Certificate)) (config *tls.Config, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	return config, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// otlpServer answers gRPC of all three signals with one status, and remembers of whom the data says it is.
type otlpServer struct {
	answer error
	seen   chan string
}

func (s otlpServer) traces(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	for _, rs := range r.Traces().ResourceSpans().All() {
		name, _ := rs.Resource().Attributes().Get("service.name")
		s.seen <- "traces of " + name.Str()
	}
	return ptraceotlp.NewExportResponse(), s.answer
}

type tracesServer struct {
	ptraceotlp.UnimplementedGRPCServer
	otlpServer
}

// Export implements ptraceotlp.GRPCServer.
func (s *tracesServer) Export(ctx context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	return s.traces(ctx, r)
}

type metricsServer struct {
	pmetricotlp.UnimplementedGRPCServer
	otlpServer
}

// Export implements pmetricotlp.GRPCServer.
func (s *metricsServer) Export(_ context.Context, r pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	for _, rm := range r.Metrics().ResourceMetrics().All() {
		name, _ := rm.Resource().Attributes().Get("service.name")
		s.seen <- "metrics of " + name.Str()
	}
	return pmetricotlp.NewExportResponse(), s.answer
}

type logsServer struct {
	plogotlp.UnimplementedGRPCServer
	otlpServer
}

// Export implements plogotlp.GRPCServer.
func (s *logsServer) Export(_ context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	for _, rl := range r.Logs().ResourceLogs().All() {
		name, _ := rl.Resource().Attributes().Get("service.name")
		s.seen <- "logs of " + name.Str()
	}
	return plogotlp.NewExportResponse(), s.answer
}

// overGRPC serves OTLP with one answer; config may be nil.
func overGRPC(t *testing.T, answer error, config *tls.Config) (address string, seen chan string) {
	t.Helper()
	s := otlpServer{answer: answer, seen: make(chan string, 30)}
	return listenGRPC(t, config, func(server *grpc.Server) {
		ptraceotlp.RegisterGRPCServer(server, &tracesServer{otlpServer: s})
		pmetricotlp.RegisterGRPCServer(server, &metricsServer{otlpServer: s})
		plogotlp.RegisterGRPCServer(server, &logsServer{otlpServer: s})
	}), s.seen
}

func listenGRPC(t *testing.T, config *tls.Config, register func(*grpc.Server)) string {
	t.Helper()
	var options []grpc.ServerOption
	if config != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	server := grpc.NewServer(options...)
	register(server)
	listener := listen(t)
	go func() { _ = server.Serve(listener) }() // It ends with Stop.
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func refusal(code codes.Code, text string) error { return status.Error(code, text) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// closedPort is one on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	address := listener.Addr().String()
	_ = listener.Close() // Only its address is of use.
	return address
}

// silentPort takes connections and says nothing.
func silentPort(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = connection.Close() })
		}
	}()
	return listener.Addr().String()
}

// speakingPort says one thing to whoever connects, and hangs up.
func speakingPort(t *testing.T, words string) string {
	t.Helper()
	listener := listen(t)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte(words)) // Whoever left does not hear it.
			_ = connection.Close()
		}
	}()
	return listener.Addr().String()
}

// blackHole drops packets that would open a connection, as a packet filter does: the
// kernel does so where as many connections wait as a listener wants.
func blackHole(t *testing.T) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(socket, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for range 8 {
		connection, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = connection.Close() })
	}
	t.Fatal("the listener takes any number of connections")
	return ""
}
