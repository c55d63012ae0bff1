package judge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/test/e2e/judge"
)

func TestWhole(t *testing.T) {
	tests := map[string]struct {
		spoil func(*trace.Trace)
		want  string // in one of the problems; empty means that there is none
	}{
		"a checkout as it must be": {spoil: func(*trace.Trace) {}},
		"a span is missing": {
			spoil: func(t *trace.Trace) { t.Spans = slices.Delete(t.Spans, 3, 4) },
			want:  "0 client spans of frontend for /products/a-1, want 1",
		},
		"a span is doubled": {
			spoil: func(t *trace.Trace) { t.Spans = append(t.Spans, t.Spans[2]) },
			want:  "2 server spans of frontend for /checkout/a-1, want 1",
		},
		"a client span hangs in the air": {
			spoil: func(t *trace.Trace) { t.Spans[3].ParentID = "" },
			want:  "the parent of frontend client /products/a-1 is none",
		},
		"the first span has a parent that nobody sent": {
			spoil: func(t *trace.Trace) { t.Spans[0].ParentID = "feed" },
			want:  `nginx server /checkout/a-1 has parent "feed", want ""`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			whole := checkout("a-1")
			tc.spoil(&whole)
			expectProblem(t, judge.Whole(whole, "a-1", ""), tc.want)
		})
	}
}

func TestWholeOrder(t *testing.T) {
	tests := map[string]struct {
		spoil func(*trace.Trace)
		want  string
	}{
		"an order as it must be": {spoil: func(*trace.Trace) {}},
		"a pool asks if a connection is there": {spoil: func(t *trace.Trace) {
			t.Spans = append(t.Spans, trace.Span{ID: "ping", ParentID: t.Spans[9].ParentID, Service: t.Spans[9].Service, Kind: trace.Client,
				Name: "postgresql", Attributes: map[string]string{"db.system.name": "postgresql"}})
		}},
		"a statement is missing":            {spoil: func(t *trace.Trace) { t.Spans = t.Spans[:10] }, want: "no redis SET of orders"},
		"a statement too many":              {spoil: func(t *trace.Trace) { t.Spans = append(t.Spans, t.Spans[10]) }, want: "SET of orders is one too many"},
		"a statement hangs in the air":      {spoil: func(t *trace.Trace) { t.Spans[9].ParentID = "" }, want: "the parent of INSERT of orders is "},
		"a statement of somebody else":      {spoil: func(t *trace.Trace) { t.Spans[9].ParentID = "a-1-s1" }, want: "the parent of INSERT of orders is frontend server /orders/a-1"},
		"what a call asks is below another": {spoil: func(t *trace.Trace) { t.Spans[8].ParentID = "a-1-s2" }, want: "the parent of INCR of stock is orders server /stored/a-1"},
		"the statement of another order":    {spoil: func(t *trace.Trace) { t.Spans = append(t.Spans, t.Spans[8]) }, want: "INCR of stock is one too many"},
		"a statement in plain text":         {spoil: func(t *trace.Trace) { delete(t.Spans[9].Attributes, "tls.established") }, want: "INSERT says that it went over TLS: false, want true"},
		"a statement over TLS":              {spoil: func(t *trace.Trace) { t.Spans[10].Attributes["tls.established"] = "true" }, want: "SET says that it went over TLS: true, want false"},
		"a request in plain text":           {spoil: func(t *trace.Trace) { delete(t.Spans[0].Attributes, "tls.established") }, want: "nginx server /orders/a-1 says that it went over TLS: false, want true"},
		"a request over TLS":                {spoil: func(t *trace.Trace) { t.Spans[1].Attributes["tls.established"] = "true" }, want: "nginx client /orders/a-1 says that it went over TLS: true, want false"},
		"the call of gRPC is missing":       {spoil: func(t *trace.Trace) { t.Spans = slices.Delete(t.Spans, 5, 6) }, want: "0 client spans of orders for shop.Stock/Reserve"},
		"the call of gRPC hangs in the air": {spoil: func(t *trace.Trace) { t.Spans[5].ParentID = "" }, want: "the parent of orders client"},
		"a request is missing":              {spoil: func(t *trace.Trace) { t.Spans = t.Spans[1:] }, want: "0 server spans of nginx"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			whole := request(shop.OrderCalls, "a-1")
			for _, s := range shop.OrderStatements {
				whole.Spans = append(whole.Spans, over(s.TLS, trace.Span{
					ID: s.Operation, ParentID: fmt.Sprintf("a-1-s%d", s.Parent), Service: s.Client, Kind: trace.Client, Name: s.Operation,
					Attributes: map[string]string{"db.system.name": s.System, "db.operation.name": s.Operation},
				}))
			}
			tc.spoil(&whole)
			expectProblem(t, judge.WholeOrder(whole, "a-1"), tc.want)
		})
	}
}

func TestStored(t *testing.T) {
	span := func(service string, kind trace.Kind, system string) trace.Span {
		return trace.Span{Service: service, Kind: kind, Attributes: map[string]string{"db.system.name": system}}
	}
	order := checkout("a-1")
	order.Spans = append(order.Spans, span("orders", trace.Client, "postgresql"), span("orders", trace.Client, "redis"))
	asked, answered := judge.Stored([]trace.Trace{
		order, {Spans: []trace.Span{span("postgres", trace.Server, "postgresql")}}, {Spans: []trace.Span{span("redis", trace.Server, "redis")}},
	})
	if asked != 1 || len(answered) != 1 || answered[0].Service != "postgres" {
		t.Errorf("got %d statements and the answers %v, want one of postgres", asked, answered)
	}
}

func TestWholeOfPages(t *testing.T) {
	page := request(shop.PageCalls, "a-1")
	expectProblem(t, judge.WholeOf(shop.PageCalls, page, "a-1", ""), "")
	inside := trace.Span{ID: "inside", ParentID: page.Spans[10].ID, Service: "reviews", Kind: trace.Internal}
	page.Spans[11].ParentID = inside.ID
	page.Spans = append(page.Spans, inside)
	expectProblem(t, judge.WholeOf(shop.PageCalls, page, "a-1", ""), "")
	page.Spans = page.Spans[:len(page.Spans)-1]
	expectProblem(t, judge.WholeOf(shop.PageCalls, page, "a-1", ""), "the parent of reviews client /price/reviews/a-1 is a span that is not in the trace")
	page.Spans[11].ParentID = page.Spans[10].ID
	page.Spans[len(page.Spans)-1].ParentID = page.Spans[len(page.Spans)-3].ID
	expectProblem(t, judge.WholeOf(shop.PageCalls, page, "a-1", ""), "the parent of pricing server /price/reviews/a-1 is ")
}

func TestWrongParents(t *testing.T) {
	tests := map[string]struct {
		spoil func(*trace.Trace)
		want  string
	}{
		"a checkout as it must be":       {spoil: func(*trace.Trace) {}},
		"a missing parent is not wrong":  {spoil: func(t *trace.Trace) { t.Spans[3].ParentID = "" }},
		"a parent that was not received": {spoil: func(t *trace.Trace) { t.Spans[3].ParentID = "beef" }},
		"a client span under another request's server span": {
			spoil: func(t *trace.Trace) { t.Spans[3].Attributes["url.path"] = "/products/b-2" },
			want:  "the parent of frontend client /products/b-2 is frontend server /checkout/a-1",
		},
		"a server span under the client span of another service": {
			spoil: func(t *trace.Trace) { t.Spans[6].ParentID = t.Spans[3].ID },
			want:  "the parent of pricing server /price/catalogue/a-1 is frontend client /products/a-1",
		},
		"two checkouts in one trace": {
			spoil: func(t *trace.Trace) { t.Spans = append(t.Spans, checkout("b-2").Spans...) },
			want:  "the trace holds 2 checkouts: a-1, b-2",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			one := checkout("a-1")
			tc.spoil(&one)
			var problems []string
			for _, w := range judge.WrongParents([]trace.Trace{one}) {
				problems = append(problems, w.Why)
			}
			expectProblem(t, problems, tc.want)
		})
	}
}

func TestLinkedSharesCountOnlyClientSpans(t *testing.T) {
	first, second := checkout("a-1"), checkout("a-2")
	second.Spans[3].ParentID = "" // frontend's call to the catalogue
	shares := judge.LinkedShares([]trace.Trace{first, second}, 2)

	i := slices.IndexFunc(shares, func(s judge.Share) bool { return s.Service == "frontend" })
	want := judge.Share{Service: "frontend", Want: 6, Spans: 6, Linked: 5}
	if shares[i] != want {
		t.Errorf("got %+v, want %+v", shares[i], want)
	}
	for _, s := range shares {
		if s.Service != "frontend" && s.Ratio() != 1 {
			t.Errorf("got %s, want 1.0", s)
		}
	}
}

func TestConventions(t *testing.T) {
	tests := map[string]struct {
		spoil func(*trace.Span)
		want  string
	}{
		"a span as it must be":      {spoil: func(*trace.Span) {}},
		"a route in the name":       {spoil: func(s *trace.Span) { s.Name = "GET /checkout/{id}" }},
		"the order in the name":     {spoil: func(s *trace.Span) { s.Name = "GET /checkout/a-1" }, want: "has the path's own value"},
		"a deprecated attribute":    {spoil: func(s *trace.Span) { s.Attributes["net.peer.name"] = "x" }, want: "net.peer.name is deprecated"},
		"an attribute is missing":   {spoil: func(s *trace.Span) { delete(s.Attributes, "client.address") }, want: "client.address is missing"},
		"another status than 200":   {spoil: func(s *trace.Span) { s.Attributes["http.response.status_code"] = "0" }, want: `is "0", want "200"`},
		"an error without a reason": {spoil: func(s *trace.Span) { s.Failed = true }, want: "status is Error"},
		"an unknown pod":            {spoil: func(s *trace.Span) { delete(s.Resource, "k8s.pod.name") }, want: "k8s.pod.name is missing"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := checkout("a-1").Spans[2]
			tc.spoil(&s)
			expectProblem(t, judge.Conventions(s), tc.want)
		})
	}
}

func expectProblem(t *testing.T, problems []string, want string) {
	t.Helper()
	text := strings.Join(problems, "\n")
	switch {
	case want == "" && len(problems) > 0:
		t.Errorf("want no problem, got:\n%s", text)
	case want != "" && !strings.Contains(text, want):
		t.Errorf("want a problem with %q, got:\n%s", want, text)
	}
}

// checkout makes the whole trace: span 0 is nginx's server span; call i > 0
// has its client span at 2i-1 and its server span at 2i.
func checkout(marker string) trace.Trace { return request(shop.Calls, marker) }

func request(calls []shop.Call, marker string) trace.Trace {
	t := trace.Trace{ID: "trace-of-" + marker}
	servers := make([]string, len(calls))
	for i, call := range calls {
		parent := ""
		if call.Client != "" {
			parent = fmt.Sprintf("%s-c%d", marker, i)
			t.Spans = append(t.Spans, spanOf(call, marker, parent, servers[call.Parent], trace.Client))
		}
		servers[i] = fmt.Sprintf("%s-s%d", marker, i)
		t.Spans = append(t.Spans, spanOf(call, marker, servers[i], parent, trace.Server))
	}
	return t
}

func spanOf(call shop.Call, marker, id, parent string, kind trace.Kind) trace.Span {
	service := call.Server
	if kind == trace.Client {
		service = call.Client
	}
	if call.Method != "" {
		return trace.Span{ID: id, ParentID: parent, Service: service, Kind: kind, Name: call.Method, Attributes: map[string]string{"rpc.method": call.Method}}
	}
	return over(call.TLS, newSpan(id, parent, service, kind, call.Path+marker))
}

// over returns the span as what was seen over TLS, or not.
func over(tls bool, s trace.Span) trace.Span {
	if tls {
		s.Attributes["tls.established"] = "true"
	}
	return s
}

func newSpan(id, parent, service string, kind trace.Kind, path string) trace.Span {
	start := time.Unix(1_700_000_000, 0)
	s := trace.Span{
		ID: id, ParentID: parent, Service: service, Kind: kind, Name: "GET", Start: start, End: start.Add(time.Millisecond),
		Attributes: map[string]string{
			"http.request.method": "GET", "http.response.status_code": "200", "url.path": path, "url.scheme": "http",
			"url.full": "http://x" + path, "server.address": "x", "server.port": "8080", "client.address": "198.18.1.2",
			"network.peer.address": "198.18.1.2", "network.peer.port": "4242",
		},
		Resource: map[string]string{
			"service.name": service, "service.instance.id": "1", "k8s.namespace.name": "shop", "k8s.pod.name": "p", "k8s.pod.uid": "u",
			"k8s.deployment.name": service, "k8s.container.name": service, "k8s.node.name": "n", "container.id": "c",
			"process.pid": "1", "telemetry.distro.name": "odi", "telemetry.distro.version": "0.1.0",
		},
	}
	if language := map[string]string{"frontend": "go", "catalogue": "go", "pricing": "go", "recommender": "python", "inventory": "java"}[service]; language != "" {
		s.Resource["telemetry.sdk.language"] = language
	}
	return s
}
