package spans

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/red"
)

// origins are the origins of a test, by pid.
type origins map[uint32]*Origin

func (o origins) Origin(pid uint32) (*Origin, bool) {
	origin, ok := o[pid]
	return origin, ok
}

func request(pid uint32, path string) probe.Exchange {
	return probe.Exchange{
		Protocol: probe.HTTP1, Kind: probe.Server, Link: probe.LinkHeader, PID: pid,
		TraceID: [16]byte{1}, SpanID: [8]byte{2}, ParentSpanID: [8]byte{3}, TraceFlags: 1,
		Local: netip.MustParseAddrPort("10.0.0.1:8080"), Peer: netip.MustParseAddrPort("10.0.0.9:40000"),
		Start: time.Unix(1_700_000_000, 0), End: time.Unix(1_700_000_000, 1e6), StatusCode: 200, ResponseBodySize: 6,
		RequestHead: []byte("GET " + path + " HTTP/1.1\r\nHost: shop:8080\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n"),
	}
}

func TestPipeline(t *testing.T) {
	a, b := someOrigin(), someOrigin()
	a.Resource.Attributes().PutStr("service.name", "a")
	a.Service.InstanceID = "a"
	a.Filter.Ignored = []string{"/quiet"}
	b.Resource.Attributes().PutStr("service.name", "b")
	silent := someOrigin()
	silent.Traces = false
	accounts, recorder, sink := books.New(), red.NewRecorder(time.Now()), &keeper{}
	recorder.Add("a", a.Resource)
	p := New(Options{Origins: origins{1: a, 2: b, 3: silent}, Recorder: recorder, Books: accounts, Sink: sink, LinkMethods: true})

	for _, x := range []probe.Exchange{
		request(1, "/1"), request(1, "/2"), request(2, "/3"), request(1, "/4"), request(1, "/quiet"), request(3, "/off"), request(4, "/gone"),
	} {
		p.Handle(x)
	}
	p.Flush()

	var got []string
	for _, rs := range sink.read(t).ResourceSpans().All() {
		service, _ := rs.Resource().Attributes().Get("service.name")
		for _, s := range rs.ScopeSpans().At(0).Spans().All() {
			path, _ := s.Attributes().Get("url.path")
			link, _ := s.Attributes().Get("odi.link.method")
			got = append(got, fmt.Sprint(service.Str(), " ", s.Name(), " ", path.Str(), " ", link.Str()))
		}
	}
	want := []string{"a GET /1 header", "a GET /2 header", "a GET /4 header", "b GET /3 header"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	wantBooks := books.Balance{Seen: 7, Queued: 4, Dropped: map[books.Reason]uint64{books.ReasonIgnored: 1, books.ReasonSignalOff: 1, books.ReasonDetached: 1}}
	if diff := cmp.Diff(wantBooks, accounts.Balance(nil)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
	measured := recorder.Collect(time.Now()).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
	if measured.Count() != 4 {
		t.Errorf("%d requests of a are measured, want 4: ignored ones too", measured.Count())
	}
}

func TestBatchesAreBounded(t *testing.T) {
	sink := &keeper{}
	p := New(Options{Origins: origins{1: someOrigin()}, Recorder: red.NewRecorder(time.Now()), Books: books.New(), Sink: sink})
	for range batchSpans + 1 {
		p.Handle(request(1, "/"))
	}
	long, x := request(1, "/"), strings.Repeat("x", 900)
	long.RequestHead = []byte("GET /" + x + "?" + strings.Repeat("&", 100) + " HTTP/1.1\r\nHost: " + x + "\r\nUser-Agent: " + x + "\r\n\r\n")
	for range batchSpans {
		p.Handle(long)
	}
	p.Flush()
	spans := 0
	for _, b := range sink.batches {
		spans += b.Spans
		if b.Spans > batchSpans || len(b.Body) > batchBytes+(64<<10) {
			t.Errorf("a batch has %d spans in %d bytes", b.Spans, len(b.Body))
		}
	}
	if want := 2*batchSpans + 1; spans != want {
		t.Errorf("%d spans, want %d", spans, want)
	}
}

func BenchmarkHandle(b *testing.B) {
	origin := someOrigin()
	origin.Service.InstanceID = "a"
	recorder := red.NewRecorder(time.Now())
	recorder.Add("a", origin.Resource)
	accounts := books.New()
	p := New(Options{Origins: origins{1: origin}, Recorder: recorder, Books: accounts, Sink: export.NewDiscard(accounts), LinkMethods: true})
	x := request(1, "/hello?user=1")
	b.ReportAllocs()
	for b.Loop() {
		p.Handle(x)
	}
}
