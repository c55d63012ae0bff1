package export

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // the receiver takes compressed batches
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

// receiver is an OTLP receiver that answers as it is told, in order, and takes
// everything afterwards.
type receiver struct {
	ptraceotlp.UnimplementedGRPCServer

	mu      sync.Mutex
	answers []error // gRPC
	codes   []int   // HTTP
	refuse  int64   // spans of the next batch that is taken
	spans   int
	tries   int
	header  string
}

func (r *receiver) Export(ctx context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	md, _ := metadata.FromIncomingContext(ctx)
	r.header = fmt.Sprint(md.Get("api-key"))
	if len(r.answers) > 0 {
		err := r.answers[0]
		r.answers = r.answers[1:]
		return ptraceotlp.NewExportResponse(), err
	}
	return r.take(req), nil
}

func (r *receiver) take(req ptraceotlp.ExportRequest) ptraceotlp.ExportResponse {
	resp := ptraceotlp.NewExportResponse()
	r.spans += req.Traces().SpanCount() - int(r.refuse)
	if r.refuse > 0 {
		resp.PartialSuccess().SetRejectedSpans(r.refuse)
		resp.PartialSuccess().SetErrorMessage("too old")
		r.refuse = 0
	}
	return resp
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	r.header = fmt.Sprint(q.Header["Api-Key"])
	if len(r.codes) > 0 {
		code := r.codes[0]
		r.codes = r.codes[1:]
		w.WriteHeader(code)
		return
	}
	body := io.Reader(q.Body)
	if q.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(q.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = z
	}
	bytes, err := io.ReadAll(body)
	req := ptraceotlp.NewExportRequest()
	if err != nil || req.UnmarshalProto(bytes) != nil || q.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	resp := r.take(req)
	answer, err := resp.MarshalProto()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// serveGRPC and serveHTTP return the receiver's endpoint.
func (r *receiver) serveGRPC(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(srv, r)
	go func() { _ = srv.Serve(listener) }()
	t.Cleanup(srv.Stop)
	return "http://" + listener.Addr().String()
}

func (r *receiver) serveHTTP(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	return srv.URL
}

func someSpans(t *testing.T, n int) signal.Batch {
	t.Helper()
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for range n {
		spans.AppendEmpty().SetName("GET")
	}
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return signal.Batch{Signal: signal.Traces, Body: body, Items: n}
}

func newTestSink(t *testing.T, endpoint string, env map[string]string) (*OTLP, *books.Books) {
	t.Helper()
	accounts := books.New()
	settings, err := EachFromEnv(endpoint, lookup(env))
	if err != nil {
		t.Fatal(err)
	}
	sink, err := NewOTLP(Options{
		Settings: settings, Accounts: Accounts{signal.Traces: accounts},
		Log:     slog.New(slog.DiscardHandler),
		Backoff: Backoff{First: time.Millisecond, Longest: 5 * time.Millisecond, Spent: time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	return sink, accounts
}

func TestOTLP(t *testing.T) {
	busy := status.Error(codes.Unavailable, "restarting")
	for name, tc := range map[string]struct {
		answers []error // gRPC
		codes   []int   // HTTP
		refuse  int64
		gzip    bool
		want    books.Balance
		tries   int
	}{
		"all is taken":        {want: books.Balance{Seen: 6, Sent: 6, Dropped: map[loss.Name]uint64{}}, tries: 2},
		"all is taken, gzip":  {gzip: true, want: books.Balance{Seen: 6, Sent: 6, Dropped: map[loss.Name]uint64{}}, tries: 2},
		"a busy receiver":     {answers: []error{busy, busy}, codes: []int{503, 429}, want: books.Balance{Seen: 6, Sent: 6, Dropped: map[loss.Name]uint64{}}, tries: 4},
		"a refusal for good":  {answers: []error{status.Error(codes.InvalidArgument, "no")}, codes: []int{400}, want: books.Balance{Seen: 6, Sent: 3, Dropped: map[loss.Name]uint64{loss.Rejected: 3}}, tries: 2},
		"a part is refused":   {refuse: 2, want: books.Balance{Seen: 6, Sent: 4, Dropped: map[loss.Name]uint64{loss.Rejected: 2}}, tries: 2},
		"a receiver's defect": {answers: []error{status.Error(codes.Internal, "panic")}, codes: []int{500}, want: books.Balance{Seen: 6, Sent: 3, Dropped: map[loss.Name]uint64{loss.Rejected: 3}}, tries: 2},
	} {
		for _, protocol := range []Protocol{GRPC, HTTPProtobuf} {
			t.Run(name+" "+string(protocol), func(t *testing.T) {
				r := &receiver{answers: tc.answers, codes: tc.codes, refuse: tc.refuse}
				env := map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": string(protocol), "OTEL_EXPORTER_OTLP_HEADERS": "api-key=s3cret"}
				if tc.gzip {
					env["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip"
				}
				endpoint := r.serveHTTP
				if protocol == GRPC {
					endpoint = r.serveGRPC
				}
				sink, accounts := newTestSink(t, endpoint(t), env)
				accounts.Seen(6)
				sink.Send(someSpans(t, 3))
				sink.Send(someSpans(t, 3))
				if err := sink.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.want, accounts.Balance(nil)); diff != "" {
					t.Errorf("books (-want +got):\n%s", diff)
				}
				if r.spans != int(tc.want.Sent) || r.tries != tc.tries || r.header != "[s3cret]" {
					t.Errorf("the receiver has %d spans after %d tries with key %s, want %d after %d", r.spans, r.tries, r.header, tc.want.Sent, tc.tries)
				}
			})
		}
	}
}

func TestOTLPWithoutReceiverEndsInTime(t *testing.T) {
	for _, protocol := range []Protocol{GRPC, HTTPProtobuf} {
		t.Run(string(protocol), func(t *testing.T) {
			sink, accounts := newTestSink(t, "http://127.0.0.1:1", map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": string(protocol)})
			accounts.Seen(4)
			sink.Send(someSpans(t, 4))
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			begin := time.Now()
			if err := sink.Close(ctx); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("Close took %v", took)
			}
			want := books.Balance{Seen: 4, Dropped: map[loss.Name]uint64{loss.Shutdown: 4}}
			if diff := cmp.Diff(want, accounts.Balance(nil)); diff != "" {
				t.Errorf("books (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOTLPGivesUpWhenTheTimeIsSpent(t *testing.T) {
	r := &receiver{codes: make([]int, 10000)}
	for i := range r.codes {
		r.codes[i] = http.StatusServiceUnavailable
	}
	sink, accounts := newTestSink(t, r.serveHTTP(t), map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"})
	accounts.Seen(1)
	sink.Send(someSpans(t, 1))
	if err := sink.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := accounts.Balance(nil).Dropped[loss.RetriesSpent]; n != 1 {
		t.Errorf("books: %+v", accounts.Balance(nil))
	}
}

func TestOTLPQueueIsBounded(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { <-release }))
	defer srv.Close()
	sink, accounts := newTestSink(t, srv.URL, map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"})
	const batches = 40_000 // of 8 MiB, as each takes more than its body
	accounts.Seen(batches)
	small := someSpans(t, 1)
	for range batches {
		sink.Send(small)
	}
	close(release)
	if err := sink.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := accounts.Balance(nil)
	if b.Dropped[loss.QueueFull] == 0 || b.Queued != 0 || b.Sent+b.DroppedTotal() != batches {
		t.Errorf("books: %+v", b)
	}
}

func TestOTLPMetricsOfNobodyAreNotSent(t *testing.T) {
	r := &receiver{}
	sink, _ := newTestSink(t, r.serveHTTP(t), map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"})
	for _, b := range signal.OfMetrics(pmetric.NewMetrics()) {
		sink.Send(b)
	}
	if err := sink.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.tries != 0 {
		t.Errorf("%d requests for no metrics", r.tries)
	}
}
