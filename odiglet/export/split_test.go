package export

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

// narrow is a transport to a receiver that takes messages up to a size.
type narrow struct {
	limit   int
	err     func(size int) error
	tries   int
	spans   map[string]int // by service
	largest int
}

func (n *narrow) send(_ context.Context, b signal.Batch) ([]byte, error) {
	body := b.Body
	n.tries++
	if len(body) > n.limit {
		return nil, n.err(len(body))
	}
	n.largest = max(n.largest, len(body))
	td := ptraceotlp.NewExportRequest()
	if err := td.UnmarshalProto(body); err != nil {
		return nil, err
	}
	for _, rs := range td.Traces().ResourceSpans().All() {
		service, _ := rs.Resource().Attributes().Get("service.name")
		for _, ss := range rs.ScopeSpans().All() {
			n.spans[service.Str()] += ss.Spans().Len()
		}
	}
	return nil, nil
}

func (*narrow) close() error { return nil }

func ofGRPC(size int) error {
	err := status.Error(codes.ResourceExhausted, fmt.Sprintf("grpc: received message larger than max (%d vs. 4194304)", size))
	return &refusal{err: err}
}

func TestABatchThatIsTooLargeIsSplit(t *testing.T) {
	for name, tc := range map[string]struct {
		err       func(int) error
		limit     int
		wantSpans int
		mostTries int
	}{
		"gRPC": {ofGRPC, 300 << 10, 400, 20},
		"HTTP": {func(int) error {
			return &refusal{tooLarge: true, err: fmt.Errorf("%d", http.StatusRequestEntityTooLarge)}
		}, 300 << 10, 400, 20},
		"a quota is no size": {func(int) error {
			return &refusal{err: status.Error(codes.ResourceExhausted, "quota of the day is spent")}
		}, 300 << 10, 0, 1},
		"who takes nothing": {ofGRPC, 0, 0, 100},
	} {
		t.Run(name, func(t *testing.T) {
			td := ptrace.NewTraces()
			for i := range 4 {
				rs := td.ResourceSpans().AppendEmpty()
				rs.Resource().Attributes().PutStr("service.name", fmt.Sprint("s", i))
				spans := rs.ScopeSpans().AppendEmpty().Spans()
				for range 100 {
					spans.AppendEmpty().Attributes().PutStr("url.query", strings.Repeat("x", 4000))
				}
			}
			body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
			if err != nil {
				t.Fatal(err)
			}
			accounts, to := books.New(), &narrow{limit: tc.limit, err: tc.err, spans: map[string]int{}}
			accounts.Seen(400)
			p := startPipe(pipe{signal: signal.Traces, transport: to, timeout: time.Second, backoff: DefaultBackoff(), books: accounts, log: slog.New(slog.DiscardHandler)})
			p.enqueue(signal.Batch{Signal: signal.Traces, Body: body, Items: 400})
			if err := p.close(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := 0
			for i := range 4 {
				got += to.spans[fmt.Sprint("s", i)]
			}
			balance := accounts.Balance(nil)
			if got != tc.wantSpans || balance.Sent != uint64(tc.wantSpans) || balance.Queued != 0 || to.tries > tc.mostTries {
				t.Errorf("%d spans arrived in %d tries, want %d; books: %+v", got, to.tries, tc.wantSpans, balance)
			}
		})
	}
}

// TestLargeMetricsGoInSeveralBatches has as many series as a node can have of a few services.
func TestLargeMetricsGoInSeveralBatches(t *testing.T) {
	md, want := pmetric.NewMetrics(), 0
	for service := range 3 {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", fmt.Sprint("s", service))
		for _, name := range []string{"http.client.request.duration", "http.server.request.duration"} {
			m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
			m.SetName(name)
			h := m.SetEmptyHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			for range 1501 {
				h.DataPoints().AppendEmpty().Attributes().PutStr("http.route", strings.Repeat("r", 100))
				want++
			}
		}
	}
	accounts, got, largest := books.New(), map[string]int{}, 0
	o := &OTLP{pipes: []*pipe{startPipe(pipe{signal: signal.Metrics, counts: true, transport: measured(func(body []byte) error {
		largest = max(largest, len(body))
		req := pmetricotlp.NewExportRequest()
		err := req.UnmarshalProto(body)
		for _, rm := range req.Metrics().ResourceMetrics().All() {
			service, _ := rm.Resource().Attributes().Get("service.name")
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					got[service.Str()+" "+m.Name()] += m.Histogram().DataPoints().Len()
				}
			}
		}
		return err
	}), timeout: time.Second, books: accounts, log: slog.New(slog.DiscardHandler)})}}
	for _, b := range signal.OfMetrics(md) {
		o.Send(b)
	}
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for series, n := range got {
		if n != 1501 {
			t.Errorf("%s has %d points", series, n)
		}
	}
	if balance := accounts.Balance(nil); balance.Sent != uint64(want) || len(got) != 6 || largest > 1<<20 {
		t.Errorf("%d kinds of series, the largest batch has %d bytes, books %+v", len(got), largest, balance)
	}
}

// measured is a transport that only looks.
type measured func(body []byte) error

func (m measured) send(_ context.Context, b signal.Batch) ([]byte, error) { return nil, m(b.Body) }
func (measured) close() error                                             { return nil }
