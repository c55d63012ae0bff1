package spans

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/bpf/http1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/signal"
)

func rooms() []probe.Protocol { return []probe.Protocol{http1.Protocol} }

// encoded returns a batch of one span of an origin.
func encoded(t *testing.T, o *Origin, x *probe.Exchange, span *probe.Span) ptrace.Traces {
	t.Helper()
	var last keeper
	p := New(Options{Protocols: rooms(), Sink: &last})
	if err := p.add(groupKey{o, p.rooms[http1.Protocol.Code]}, appendSpan(nil, x, span)); err != nil {
		t.Fatal(err)
	}
	p.Flush()
	return last.read(t)
}

// expected is the same by way of pdata.
func expected(o *Origin, x *probe.Exchange, span *probe.Span) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	o.Resource.CopyTo(rs.Resource())
	rs.SetSchemaUrl(telemetry.SchemaURL)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("odi/http1")
	ss.Scope().SetVersion(version.Version)
	ss.SetSchemaUrl(telemetry.SchemaURL)
	s := ss.Spans().AppendEmpty()
	s.SetTraceID(x.TraceID)
	s.SetSpanID(x.SpanID)
	s.SetParentSpanID(x.ParentSpanID)
	s.SetFlags(uint32(x.TraceFlags))
	s.SetName(span.Name)
	s.SetKind(ptrace.SpanKindServer)
	if x.Kind == probe.Client {
		s.SetKind(ptrace.SpanKindClient)
	}
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(x.Start))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(x.End))
	for _, a := range span.Attributes {
		if a.IsNumber {
			s.Attributes().PutInt(a.Key, a.Number)
			continue
		}
		s.Attributes().PutStr(a.Key, a.Text)
	}
	if x.TLS {
		s.Attributes().PutBool("tls.established", true)
	}
	if span.Failed {
		s.Status().SetCode(ptrace.StatusCodeError)
	}
	return td
}

func text(t *testing.T, td ptrace.Traces) string {
	t.Helper()
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func someOrigin() *Origin {
	o := &Origin{Resource: pcommon.NewResource(), Traces: true, Metrics: true}
	o.Resource.Attributes().PutStr("service.name", "cart")
	o.Resource.Attributes().PutEmptySlice("container.image.tags").AppendEmpty().SetStr("1.2")
	return o
}

func TestSpansAreEncodedAsPdataDoes(t *testing.T) {
	for name, tc := range map[string]struct {
		exchange probe.Exchange
		span     probe.Span
	}{
		"nothing but a name": {span: probe.Span{Name: "GET"}},
		"a server request that failed": {
			exchange: probe.Exchange{
				Kind: probe.Server, TraceID: [16]byte{1, 15: 2}, SpanID: [8]byte{3}, ParentSpanID: [8]byte{7: 4}, TraceFlags: 1,
				Start: time.Unix(1_700_000_000, 5), End: time.Unix(1_700_000_001, 0),
			},
			span: probe.Span{Name: "GET", Failed: true, Attributes: []probe.Attribute{
				{Key: "url.path", Text: "/ä"}, {Key: "empty"}, {Key: "server.port", Number: 8080, IsNumber: true},
			}},
		},
		"a client request over TLS": {
			exchange: probe.Exchange{Kind: probe.Client, TLS: true},
			span:     probe.Span{Name: "SELECT", Attributes: []probe.Attribute{{Key: "server.port", Number: 5432, IsNumber: true}}},
		},
		"numbers of any size, texts of any length": {
			exchange: probe.Exchange{Kind: probe.Client, TraceFlags: 255},
			span: probe.Span{Name: "POST", Attributes: []probe.Attribute{
				{Key: "zero", IsNumber: true}, {Key: "negative", Number: -1, IsNumber: true}, {Key: "large", Number: 1 << 62, IsNumber: true},
				{Key: "long", Text: string(make([]byte, 200))}, {Key: "longer", Text: string(make([]byte, 20_000))},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := text(t, expected(someOrigin(), &tc.exchange, &tc.span))
			if diff := cmp.Diff(want, text(t, encoded(t, someOrigin(), &tc.exchange, &tc.span))); diff != "" {
				t.Errorf("the batch differs (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("GET /a?token=secret HTTP/1.1\r\nHost: x:80\r\nUser-Agent: \xff\r\n\r\n"), uint16(200), int64(-7))
	f.Fuzz(func(t *testing.T, head []byte, status uint16, size int64) {
		x := probe.Exchange{Kind: probe.Server, RequestHead: head, StatusCode: status, RequestBodySize: size}
		var span probe.Span
		http1.Decode(&x, &span)
		want := text(t, expected(someOrigin(), &x, &span))
		if diff := cmp.Diff(want, text(t, encoded(t, someOrigin(), &x, &span))); diff != "" {
			t.Errorf("the batch differs (-want +got):\n%s", diff)
		}
	})
}

// keeper is a sink that keeps the batches.
type keeper struct {
	export.Discard
	batches []signal.Batch
}

func (k *keeper) Send(b signal.Batch) {
	b.Memory.Hold()
	k.batches = append(k.batches, b)
}

// read decodes the only batch.
func (k *keeper) read(t *testing.T) ptrace.Traces {
	t.Helper()
	if len(k.batches) != 1 {
		t.Fatalf("%d batches, want 1", len(k.batches))
	}
	td, err := signal.ReadTraces(k.batches[0])
	if err != nil {
		t.Fatal(err)
	}
	return td
}
