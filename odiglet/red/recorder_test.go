package red

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/odiglet/identity"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func key(name string) identity.Key { return identity.Key{Name: name, Instance: "1"} }

func resource(name string) pcommon.Resource {
	r := pcommon.NewResource()
	r.Attributes().PutStr("service.name", name)
	return r
}

// points writes every data point as one line.
func points(md pmetric.Metrics) []string {
	var all []string
	for _, rm := range md.ResourceMetrics().All() {
		service, _ := rm.Resource().Attributes().Get("service.name")
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, p := range m.Histogram().DataPoints().All() {
					all = append(all, fmt.Sprint(service.Str(), " ", m.Name(), " ", p.Attributes().AsRaw(), " count ", p.Count(), " sum ", p.Sum()))
				}
			}
		}
	}
	return all
}

func TestCollect(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	r.Add(key("b"), resource("price"))
	get := Request{Kind: Server, Method: "GET", Scheme: "http", Route: "/x", Status: 200, Server: "10.0.0.1", Port: 8080}
	r.Record(key("a"), get, 5*time.Millisecond)
	r.Record(key("a"), get, 250*time.Millisecond)
	r.Record(key("a"), Request{Kind: Client, Method: "POST", Scheme: "http", Status: 503, ErrorType: "503", Server: "price", Port: 80}, time.Second)
	r.Record(key("b"), get, time.Minute)
	r.Record(key("nobody"), get, time.Second)

	want := []string{
		"cart http.client.request.duration map[error.type:503 http.request.method:POST http.response.status_code:503 server.address:price server.port:80 url.scheme:http] count 1 sum 1",
		"cart http.server.request.duration map[http.request.method:GET http.response.status_code:200 http.route:/x url.scheme:http] count 2 sum 0.255",
		"price http.server.request.duration map[http.request.method:GET http.response.status_code:200 http.route:/x url.scheme:http] count 1 sum 60",
	}
	if diff := cmp.Diff(want, points(r.Collect(noon.Add(time.Second)))); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

func TestBucketsIncludeTheirUpperBound(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	for _, d := range []time.Duration{0, 5 * time.Millisecond, 6 * time.Millisecond, 10 * time.Second, 11 * time.Second} {
		r.Record(key("a"), Request{Method: "GET"}, d)
	}
	p := r.Collect(noon).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
	want := []uint64{2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}
	if diff := cmp.Diff(want, p.BucketCounts().AsRaw()); diff != "" {
		t.Errorf("buckets (-want +got):\n%s", diff)
	}
	if p.Min() != 0 || p.Max() != 11 || p.StartTimestamp().AsTime() != noon {
		t.Errorf("min %v max %v start %v", p.Min(), p.Max(), p.StartTimestamp().AsTime())
	}
}

func TestSeriesAreBounded(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	for i := range MaxSeries + 50 {
		r.Record(key("a"), Request{Method: "GET", Route: fmt.Sprint("/", i)}, time.Millisecond)
	}
	all := points(r.Collect(noon))
	if len(all) != MaxSeries+1 || all[MaxSeries] != "cart http.server.request.duration map[otel.metric.overflow:true] count 50 sum 0.05000000000000004" {
		t.Errorf("%d points, the last is %s", len(all), all[len(all)-1])
	}
	if r.Overflowed() != 50 {
		t.Errorf("overflowed %d, want 50", r.Overflowed())
	}
}

func TestServersOfClientsAreBounded(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("crawler"))
	for i := range maxServers + 30 {
		r.Record(key("a"), Request{Kind: Client, Method: "GET", Server: fmt.Sprint("host", i), Port: 80}, time.Millisecond)
	}
	if n := len(points(r.Collect(noon))); n != maxServers+1 {
		t.Errorf("%d series, want %d and one for the others", n, maxServers)
	}
}

func TestForgottenInstancesAreCollectedOnceMore(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	r.Record(key("a"), Request{Method: "GET"}, time.Millisecond)
	r.Forget(key("a"))
	if n := len(points(r.Collect(noon))); n != 1 {
		t.Errorf("%d points at the last collection, want 1", n)
	}
	r.Record(key("a"), Request{Method: "GET"}, time.Millisecond)
	if n := len(points(r.Collect(noon))); n != 0 {
		t.Errorf("%d points of one who is gone", n)
	}
	r.Add(key("a"), resource("cart"))
	r.Forget(key("a"))
	r.Add(key("a"), resource("cart"))
	r.Record(key("a"), Request{Method: "GET"}, time.Millisecond)
	r.Collect(noon)
	if n := len(points(r.Collect(noon))); n != 1 {
		t.Errorf("%d points of one who came back, want 1", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	get := Request{Kind: Client, Method: "GET", Scheme: "http", Status: 200, Server: "price", Port: 8080}
	b.ReportAllocs()
	for b.Loop() {
		r.Record(key("a"), get, 5*time.Millisecond)
	}
}
