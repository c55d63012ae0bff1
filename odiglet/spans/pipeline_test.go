package spans

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/bpf/http1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/signal"
)

// origins are the origins of a test, by pid.
type origins map[uint32]*Origin

func (o origins) Origin(pid uint32) (*Origin, bool) {
	origin, ok := o[pid]
	return origin, ok
}

func request(pid uint32, path string) probe.Exchange {
	return probe.Exchange{
		Protocol: http1.Protocol.Code, Kind: probe.Server, Link: probe.LinkHeader, PID: pid,
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
	recorder.Add(a.Service.Key(), a.Resource)
	p := New(Options{Origins: origins{1: a, 2: b, 3: silent}, Recorder: recorder, Books: accounts, Routes: routes.NewBook(), Protocols: rooms(), Sink: sink, LinkMethods: true})

	unsampled := request(1, "/5")
	unsampled.TraceFlags = 2 // random, but not sampled
	unsampled.SpanID = [8]byte{5}
	for _, x := range []probe.Exchange{
		request(1, "/1"), request(1, "/2"), request(2, "/3"), request(1, "/4"), request(1, "/quiet"), request(3, "/off"), request(4, "/gone"),
		unsampled,
	} {
		p.Handle(&x)
	}
	p.Flush()

	var got []string
	exported := map[pcommon.SpanID]bool{}
	for _, rs := range sink.read(t).ResourceSpans().All() {
		service, _ := rs.Resource().Attributes().Get("service.name")
		for _, s := range rs.ScopeSpans().At(0).Spans().All() {
			exported[s.SpanID()] = true
			path, _ := s.Attributes().Get("url.path")
			link, _ := s.Attributes().Get("odi.link.method")
			got = append(got, fmt.Sprint(service.Str(), " ", s.Name(), " ", path.Str(), " ", link.Str()))
		}
	}
	want := []string{"a GET /{id} /1 header", "a GET /{id} /2 header", "a GET /{id} /4 header", "b GET /{id} /3 header"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	wantBooks := books.Balance{Seen: 8, Queued: 4, Dropped: map[loss.Name]uint64{
		loss.IgnoredPath: 1, loss.TracesOff: 1, loss.Detached: 1, loss.NotSampled: 1,
	}}
	if diff := cmp.Diff(wantBooks, accounts.Balance(nil)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
	measured, exemplars := map[string]uint64{}, 0
	for _, point := range recorder.Collect(time.Now()).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().All() {
		route, _ := point.Attributes().Get("http.route")
		measured[route.Str()] += point.Count()
		for _, x := range point.Exemplars().All() {
			if exemplars++; !exported[x.SpanID()] {
				t.Errorf("span %s is an exemplar, and not exported", x.SpanID())
			}
		}
	}
	if exemplars == 0 {
		t.Error("no exemplars")
	}
	if diff := cmp.Diff(map[string]uint64{"/{id}": 4, "/quiet": 1}, measured); diff != "" {
		t.Errorf("measured of a, with what is ignored or not sampled (-want +got):\n%s", diff)
	}
}

// TestOnlyTheValuesOfSomeKeysAreShown, of those of the very workload.
func TestOnlyTheValuesOfSomeKeysAreShown(t *testing.T) {
	search, other := someOrigin(), someOrigin()
	search.QueryKeys = []string{"q"}
	sink := &keeper{}
	p := New(Options{Origins: origins{1: search, 2: other}, Recorder: red.NewRecorder(time.Now()), Books: books.New(), Routes: routes.NewBook(), Protocols: rooms(), Sink: sink})
	called := request(1, "/find?q=shoes&key=hunter2")
	called.Kind = probe.Client
	for _, x := range []probe.Exchange{request(1, "/find?q=shoes&key=hunter2"), called, request(2, "/find?q=shoes&key=hunter2")} {
		p.Handle(&x)
	}
	p.Flush()
	var got []string
	for _, rs := range sink.read(t).ResourceSpans().All() {
		for _, s := range rs.ScopeSpans().At(0).Spans().All() {
			query, _ := s.Attributes().Get("url.query")
			full, _ := s.Attributes().Get("url.full")
			got = append(got, query.Str()+full.Str())
		}
	}
	want := []string{"q=shoes&key=REDACTED", "http://shop:8080/find?q=shoes&key=REDACTED", "q=REDACTED&key=REDACTED"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if search.Equal(*other) {
		t.Error("a change of the keys is none")
	}
}

func TestNamesOfSpans(t *testing.T) {
	patterns, err := routes.Compile([]string{"/users/{name}"})
	if err != nil {
		t.Fatal(err)
	}
	origin := someOrigin()
	origin.Routes = patterns
	client := func(x probe.Exchange) probe.Exchange { x.Kind = probe.Client; return x }
	status := func(x probe.Exchange, code uint16) probe.Exchange { x.StatusCode = code; return x }
	method := func(x probe.Exchange, method string) probe.Exchange {
		x.RequestHead = []byte(method + string(x.RequestHead[len("GET"):]))
		return x
	}
	cut := request(1, "/files/x7")
	cut.RequestHead, cut.HeadTruncated = []byte("GET /files/x7"), true
	for name, tc := range map[string]struct {
		exchange                          probe.Exchange
		wantName, wantRoute, wantTemplate string
	}{
		"a server's request is named after its route":         {request(1, "/orders/17?token=x"), "GET /orders/{id}", "/orders/{id}", ""},
		"the user's routes come first":                        {request(1, "/users/17"), "GET /users/{name}", "/users/{name}", ""},
		"a client's request is named after its template":      {client(request(1, "/users/17?token=x")), "GET /users/{id}", "", "/users/{id}"},
		"what was not found is in one route":                  {status(request(1, "/wp-admin.php"), 404), "GET /*", "/*", ""},
		"what a client did not find has no template":          {client(status(request(1, "/nothing"), 404)), "GET", "", ""},
		"a method that nobody knows has a route all the same": {method(request(1, "/orders/17"), "FROB"), "HTTP /orders/{id}", "/orders/{id}", ""},
		"a target that was cut ends in a star":                {cut, "GET /files/*", "/files/*", ""},
		"an asterisk is no path":                              {method(request(1, "*"), "OPTIONS"), "OPTIONS", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &keeper{}
			p := New(Options{Origins: origins{1: origin}, Recorder: red.NewRecorder(time.Now()), Books: books.New(), Routes: routes.NewBook(), Protocols: rooms(), Sink: sink})
			p.Handle(&tc.exchange)
			p.Flush()
			span := sink.read(t).ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
			route, _ := span.Attributes().Get("http.route")
			template, _ := span.Attributes().Get("url.template")
			if span.Name() != tc.wantName || route.Str() != tc.wantRoute || template.Str() != tc.wantTemplate {
				t.Errorf("%s, http.route %q, url.template %q; want %+v", span.Name(), route.Str(), template.Str(), tc)
			}
		})
	}
}

func TestBatchesAreBounded(t *testing.T) {
	sink := &keeper{}
	p := New(Options{Origins: origins{1: someOrigin()}, Recorder: red.NewRecorder(time.Now()), Books: books.New(), Routes: routes.NewBook(), Protocols: rooms(), Sink: sink})
	for range batchSpans + 1 {
		plain := request(1, "/")
		p.Handle(&plain)
	}
	long, x := request(1, "/"), strings.Repeat("x", 900)
	long.RequestHead = []byte("GET /" + x + "?" + strings.Repeat("&", 100) + " HTTP/1.1\r\nHost: " + x + "\r\nUser-Agent: " + x + "\r\n\r\n")
	for range batchSpans {
		p.Handle(&long)
	}
	p.Flush()
	spans := 0
	for _, b := range sink.batches {
		spans += b.Items
		if b.Items > batchSpans || len(b.Body) > batchBytes+(64<<10) {
			t.Errorf("a batch has %d spans in %d bytes", b.Items, len(b.Body))
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
	recorder.Add(origin.Service.Key(), origin.Resource)
	accounts := books.New()
	p := New(Options{Origins: origins{1: origin}, Recorder: recorder, Books: accounts, Routes: routes.NewBook(), Protocols: rooms(), Sink: export.NewDiscard(export.Accounts{signal.Traces: accounts}), LinkMethods: true})
	x := request(1, "/hello?user=1")
	b.ReportAllocs()
	for b.Loop() {
		p.Handle(&x)
	}
}

// lender is a sink that copies batches, as one that needs their memory no more.
type lender struct {
	export.Discard
	batches []signal.Batch
	places  map[*byte]bool
}

func (l *lender) Send(b signal.Batch) {
	l.places[unsafe.SliceData(b.Body)] = true
	b.Body = slices.Clone(b.Body)
	l.batches = append(l.batches, b)
}

// TestMemoryOfBatchesIsUsedAgain: spans are the same whether or not a sink keeps what it is
// given, and those of a batch that is kept are not written over.
func TestMemoryOfBatchesIsUsedAgain(t *testing.T) {
	keeps, lends := &keeper{}, &lender{places: map[*byte]bool{}}
	for _, sink := range []export.Sink{keeps, lends} {
		p := New(Options{Origins: origins{1: someOrigin()}, Recorder: red.NewRecorder(time.Now()), Books: books.New(), Routes: routes.NewBook(), Protocols: rooms(), Sink: sink})
		for i := range 50 {
			for j := range 40 + i%7 { // of much the same size, as those of a busy node are
				x := request(1, fmt.Sprintf("/%d/%d", i, j))
				p.Handle(&x)
			}
			p.Flush()
		}
	}
	if len(keeps.batches) == 0 {
		t.Fatal("no batches")
	}
	if diff := cmp.Diff(keeps.batches, lends.batches, cmp.Comparer(func(a, b *signal.Signal) bool { return a == b }), cmpopts.IgnoreFields(signal.Batch{}, "Memory")); diff != "" {
		t.Errorf("batches differ (-kept +lent):\n%s", diff)
	}
	if places, most := len(lends.places), len(lends.batches)/2; places > most {
		t.Errorf("%d batches were written to %d places, want at most %d: none of them was kept", len(lends.batches), places, most)
	}
}
