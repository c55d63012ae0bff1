package red

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/identity"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func key(name string) identity.Key { return identity.Key{Name: name, Instance: "1"} }

func resource(name string) pcommon.Resource {
	r := pcommon.NewResource()
	r.Attributes().PutStr("service.name", name)
	return r
}

var (
	served = &probe.Instrument{Name: "http.server.request.duration"}
	called = &probe.Instrument{Name: "http.client.request.duration"}
)

// took is a measurement with texts and numbers as labels.
func took(d time.Duration, of *probe.Instrument, labels ...any) Measurement {
	m := Measurement{Instrument: of, Took: d}
	for i := 0; i < len(labels); i += 2 {
		a := probe.Attribute{Key: labels[i].(string), IsLabel: true}
		a.Text, _ = labels[i+1].(string)
		if n, ok := labels[i+1].(int); ok {
			a.Number, a.IsNumber = int64(n), true
		}
		m.Labels = append(m.Labels, a)
	}
	return m
}

// get is a request of a server.
func get() Measurement { return took(time.Millisecond, served, "http.request.method", "GET") }

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
	get := func(d time.Duration) Measurement {
		m := took(d, served, "http.request.method", "GET", "url.scheme", "http", "http.response.status_code", 200, "http.route", "/x")
		m.Labels = append(m.Labels, probe.Attribute{Key: "url.path", Text: d.String()}) // no label
		return m
	}
	r.Record(key("a"), get(5*time.Millisecond))
	r.Record(key("a"), get(250*time.Millisecond))
	r.Record(key("a"), took(time.Second, called, "http.request.method", "POST", "http.response.status_code", 503, "error.type", "503", "server.address", "price", "server.port", 80))
	r.Record(key("b"), get(time.Minute))
	r.Record(key("nobody"), get(time.Second))

	want := []string{
		"cart http.client.request.duration map[error.type:503 http.request.method:POST http.response.status_code:503 server.address:price server.port:80] count 1 sum 1",
		"cart http.server.request.duration map[http.request.method:GET http.response.status_code:200 http.route:/x url.scheme:http] count 2 sum 0.255",
		"price http.server.request.duration map[http.request.method:GET http.response.status_code:200 http.route:/x url.scheme:http] count 1 sum 60",
	}
	if diff := cmp.Diff(want, points(r.Collect(noon.Add(time.Second)))); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

// TestSizesOfBodies: they are recorded by the same labels as durations, where they are known,
// also of the requests beyond the series that are told apart.
func TestSizesOfBodies(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	sized := &probe.Instrument{
		Name: "d", RequestBody: &probe.Sizes{Name: "in"}, ResponseBody: &probe.Sizes{Name: "out"},
	}
	for i, of := range [][2]int64{{0, 1000}, {-1, 24}, {-1, -1}, {1 << 40, -1}} {
		m := took(time.Second, sized, "http.route", fmt.Sprint("/", i/2))
		m.Request, m.Response = of[0], of[1]
		r.Record(key("a"), m)
	}
	for i := range MaxSeries {
		m := took(time.Second, sized, "http.route", fmt.Sprint("/more/", i))
		m.Request, m.Response = -1, 7
		r.Record(key("a"), m)
	}
	var got []string
	for _, p := range points(r.Collect(noon)) {
		if !strings.Contains(p, "/more/") {
			got = append(got, p)
		}
	}
	want := []string{
		"cart d map[http.route:/0] count 2 sum 2", "cart d map[http.route:/1] count 2 sum 2", "cart d map[otel.metric.overflow:true] count 2 sum 2",
		"cart in map[http.route:/0] count 1 sum 0", "cart in map[http.route:/1] count 1 sum 1.099511627776e+12",
		"cart out map[http.route:/0] count 2 sum 1024", "cart out map[otel.metric.overflow:true] count 2 sum 14",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	metrics := r.Collect(noon).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	var units []string
	for _, m := range metrics.All() {
		units = append(units, m.Name()+" "+m.Unit())
	}
	if diff := cmp.Diff([]string{"d s", "in By", "out By"}, units); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
}

func TestBucketsIncludeTheirUpperBound(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	for _, d := range []time.Duration{0, 5 * time.Millisecond, 6 * time.Millisecond, 10 * time.Second, 11 * time.Second} {
		r.Record(key("a"), took(d, served))
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
		r.Record(key("a"), took(time.Millisecond, served, "http.route", fmt.Sprint("/", i)))
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
		r.Record(key("a"), took(time.Millisecond, called, "server.address", fmt.Sprint("host", i), "server.port", 80+i))
	}
	if n := len(points(r.Collect(noon))); n != maxServers+1 {
		t.Errorf("%d series, want %d and one for the others", n, maxServers)
	}
}

func TestForgottenInstancesAreCollectedOnceMore(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	r.Record(key("a"), get())
	r.Forget(key("a"))
	if n := len(points(r.Collect(noon))); n != 1 {
		t.Errorf("%d points at the last collection, want 1", n)
	}
	r.Record(key("a"), get())
	if n := len(points(r.Collect(noon))); n != 0 {
		t.Errorf("%d points of one who is gone", n)
	}
	r.Add(key("a"), resource("cart"))
	r.Forget(key("a"))
	r.Add(key("a"), resource("cart"))
	r.Record(key("a"), get())
	r.Collect(noon)
	if n := len(points(r.Collect(noon))); n != 1 {
		t.Errorf("%d points of one who came back, want 1", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	get := took(5*time.Millisecond, called, "http.request.method", "GET", "http.response.status_code", 200, "server.address", "price", "server.port", 8080)
	b.ReportAllocs()
	for b.Loop() {
		r.Record(key("a"), get)
	}
}
