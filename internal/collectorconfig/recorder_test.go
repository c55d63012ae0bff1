package collectorconfig

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	grpctls "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"

	"github.com/odi-dev/odi/internal/testkit/peers"
)

// A recorder is a receiver of OTLP by gRPC and HTTP, each with TLS and without,
// that remembers how data came. Heartbeats, which are empty, it only answers.
type recorder struct {
	certificate string
	addresses   map[[2]bool]string // by gRPC, by TLS

	mu    sync.Mutex
	lines map[string]string // by lane and signal
	used  map[string]string // how a lane compresses, by lane; for HTTP with the encoding
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	certificate, key := peers.Pair(t)
	r := &recorder{certificate: certificate, addresses: map[[2]bool]string{}, lines: map[string]string{}, used: map[string]string{}}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}
	for _, secure := range []bool{false, true} {
		r.serveHTTP(t, secure, config.Clone())
		r.serveGRPC(t, secure, config.Clone())
	}
	return r
}

func (r *recorder) address(grpc, secure bool) string { return r.addresses[[2]bool{grpc, secure}] }

func (r *recorder) listen(t *testing.T, grpc, secure bool) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addresses[[2]bool{grpc, secure}] = listener.Addr().String()
	return listener
}

func (r *recorder) serveHTTP(t *testing.T, secure bool, config *tls.Config) {
	t.Helper()
	listener := r.listen(t, false, secure)
	if secure {
		listener = tls.NewListener(listener, config)
	}
	server := &http.Server{Handler: http.HandlerFunc(r.takeHTTP)}
	go func() { _ = server.Serve(listener) }() // It ends with Close.
	t.Cleanup(func() { _ = server.Close() })
}

// takeHTTP tells the signal by the data, not by the path: backends have paths of their own.
func (r *recorder) takeHTTP(w http.ResponseWriter, request *http.Request) {
	r.uses(request.Header.Get(laneHeader), request.Header.Get("Content-Type")+", "+request.Header.Get("Content-Encoding"))
	data, err := bodyOf(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", request.Header.Get("Content-Type"))
	if len(data) == 0 {
		return
	}
	what := fmt.Sprintf("%s %s %s, %s%s", request.Method, request.URL, request.Header.Get("Content-Type"), request.Header.Get("Content-Encoding"), security(request.TLS))
	r.remember(request.Header.Get(laneHeader), signalOf(data), what, request.Header)
}

// bodyOf reads a request, unzipped.
func bodyOf(request *http.Request) ([]byte, error) {
	if request.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(request.Body)
	}
	unzipped, err := gzip.NewReader(request.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unzipped)
}

// signalOf reads protobuf: a span's batch is no batch of logs with the same words in it.
func signalOf(data []byte) string {
	traces, metrics, logs := ptraceotlp.NewExportRequest(), pmetricotlp.NewExportRequest(), plogotlp.NewExportRequest()
	switch {
	case traces.UnmarshalProto(data) == nil && strings.Contains(spanNames(traces), "GET"):
		return "traces"
	case metrics.UnmarshalProto(data) == nil && strings.Contains(metricNames(metrics), "requests"):
		return "metrics"
	case logs.UnmarshalProto(data) == nil && logs.Logs().LogRecordCount() == 1:
		return "logs"
	}
	return "unknown"
}

func spanNames(request ptraceotlp.ExportRequest) string {
	names := ""
	for _, rs := range request.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				names += span.Name()
			}
		}
	}
	return names
}

func metricNames(request pmetricotlp.ExportRequest) string {
	names := ""
	for _, rm := range request.Metrics().ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				names += metric.Name()
			}
		}
	}
	return names
}

func security(state *tls.ConnectionState) string {
	switch {
	case state == nil:
		return ", no TLS"
	case len(state.PeerCertificates) > 0:
		return ", TLS with a client's certificate"
	}
	return ", TLS"
}

func (r *recorder) serveGRPC(t *testing.T, secure bool, config *tls.Config) {
	t.Helper()
	options := []grpc.ServerOption{grpc.StatsHandler(compression{r: r})}
	if secure {
		options = append(options, grpc.Creds(grpctls.NewTLS(config)))
	}
	server := grpc.NewServer(options...)
	ptraceotlp.RegisterGRPCServer(server, &tracesRecorder{r: r})
	pmetricotlp.RegisterGRPCServer(server, &metricsRecorder{r: r})
	plogotlp.RegisterGRPCServer(server, &logsRecorder{r: r})
	listener := r.listen(t, true, secure)
	go func() { _ = server.Serve(listener) }() // It ends with Stop.
	t.Cleanup(server.Stop)
}

type tracesRecorder struct {
	ptraceotlp.UnimplementedGRPCServer
	r *recorder
}

// Export implements ptraceotlp.GRPCServer.
func (t *tracesRecorder) Export(ctx context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	t.r.takeGRPC(ctx, "traces", request.Traces().SpanCount())
	return ptraceotlp.NewExportResponse(), nil
}

type metricsRecorder struct {
	pmetricotlp.UnimplementedGRPCServer
	r *recorder
}

// Export implements pmetricotlp.GRPCServer.
func (m *metricsRecorder) Export(ctx context.Context, request pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	m.r.takeGRPC(ctx, "metrics", request.Metrics().DataPointCount())
	return pmetricotlp.NewExportResponse(), nil
}

type logsRecorder struct {
	plogotlp.UnimplementedGRPCServer
	r *recorder
}

// Export implements plogotlp.GRPCServer.
func (l *logsRecorder) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	l.r.takeGRPC(ctx, "logs", request.Logs().LogRecordCount())
	return plogotlp.NewExportResponse(), nil
}

func (r *recorder) takeGRPC(ctx context.Context, signal string, items int) {
	if items == 0 {
		return
	}
	method, _ := grpc.Method(ctx)
	headers, _ := metadata.FromIncomingContext(ctx)
	from, _ := grpcpeer.FromContext(ctx)
	var state *tls.ConnectionState
	if auth, ok := from.AuthInfo.(grpctls.TLSInfo); ok {
		state = &auth.State
	}
	used, _ := ctx.Value(compressionKey{}).(*string)
	r.remember(strings.Join(headers.Get(laneHeader), ","), signal, fmt.Sprintf("gRPC %s, %s%s", method, *used, security(state)), headers)
}

// compression tells how a gRPC request was compressed, also if this test has no means to read it.
type compression struct {
	stats.Handler
	r *recorder
}

// compressionKey is that of a request's compression in its context.
type compressionKey struct{}

// TagRPC implements stats.Handler.
func (compression) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, compressionKey{}, new(string))
}

// HandleRPC implements stats.Handler.
func (c compression) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if header, ok := s.(*stats.InHeader); ok {
		c.r.uses(strings.Join(header.Header.Get(laneHeader), ","), header.Compression)
		*ctx.Value(compressionKey{}).(*string) = header.Compression
	}
}

// TagConn implements stats.Handler.
func (compression) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (compression) HandleConn(context.Context, stats.ConnStats) {}

func (r *recorder) remember(lane, signal, what string, headers map[string][]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines[lane+" "+signal] = line(lane, signal, what, headers)
}

func (r *recorder) uses(lane, how string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[lane] = how
}

func (r *recorder) cameAs(lane, how string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	got, came := r.used[lane]
	return came && got == how
}

// lineOf is that of a lane's traces.
func (r *recorder) lineOf(lane string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines[lane+" traces"]
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lines)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Values(r.lines)), "\n") + "\n"
}
