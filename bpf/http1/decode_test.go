package http1

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/bpf/probe"
)

func decode(x probe.Exchange) ptrace.Span {
	span := ptrace.NewSpan()
	Decode(x, span)
	return span
}

func TestDecode(t *testing.T) {
	local, peer := netip.MustParseAddrPort("10.0.0.1:8080"), netip.MustParseAddrPort("10.0.0.9:40000")
	server := func(head string, status uint16) probe.Exchange {
		return probe.Exchange{Kind: probe.Server, Local: local, Peer: peer, StatusCode: status, RequestBodySize: -1, ResponseBodySize: -1, RequestHead: []byte(head)}
	}
	client := func(head string, status uint16) probe.Exchange {
		return probe.Exchange{Kind: probe.Client, Local: peer, Peer: local, StatusCode: status, RequestHead: []byte(head)}
	}
	serverWants := func(more map[string]any) map[string]any {
		want := map[string]any{
			"http.request.method": "GET", "url.scheme": "http", "network.protocol.version": "1.1",
			"network.peer.address": "10.0.0.9", "network.peer.port": int64(40000), "client.address": "10.0.0.9",
			"server.address": "shop", "server.port": int64(8080), "url.path": "/a", "http.response.status_code": int64(200),
		}
		for k, v := range more {
			want[k] = v
			if v == nil {
				delete(want, k)
			}
		}
		return want
	}
	tests := map[string]struct {
		exchange  probe.Exchange
		wantName  string
		wantKind  ptrace.SpanKind
		wantError bool
		want      map[string]any
	}{
		"a server request has path, host, user agent and a redacted query": {
			exchange: server("GET /a?token=secret&x=1 HTTP/1.1\r\nHost: shop:8080\r\nUSER-AGENT: curl/8\r\n\r\n", 200),
			wantName: "GET", wantKind: ptrace.SpanKindServer,
			want: serverWants(map[string]any{"url.query": "token=REDACTED&x=REDACTED", "user_agent.original": "curl/8"}),
		},
		"a 404 is no error of the server": {
			exchange: server("GET /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 404),
			wantName: "GET", wantKind: ptrace.SpanKindServer,
			want: serverWants(map[string]any{"http.response.status_code": int64(404)}),
		},
		"a 503 is an error of the server": {
			exchange: server("GET /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 503),
			wantName: "GET", wantKind: ptrace.SpanKindServer, wantError: true,
			want: serverWants(map[string]any{"http.response.status_code": int64(503), "error.type": "503"}),
		},
		"a method that nobody knows is _OTHER": {
			exchange: server("FROB /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 200),
			wantName: "HTTP", wantKind: ptrace.SpanKindServer,
			want: serverWants(map[string]any{"http.request.method": "_OTHER", "http.request.method_original": "FROB"}),
		},
		"the first hop of X-Forwarded-For is the client": {
			exchange: server("GET /a HTTP/1.0\r\nHost: shop:8080\r\nX-Forwarded-For: 192.0.2.7, 10.0.0.2\r\n\r\n", 200),
			wantName: "GET", wantKind: ptrace.SpanKindServer,
			want: serverWants(map[string]any{"client.address": "192.0.2.7", "network.protocol.version": "1.0"}),
		},
		"a forged X-Forwarded-For is not believed": {
			exchange: server("GET /a HTTP/1.1\r\nHost: shop:8080\r\nX-Forwarded-For: <script>\r\n\r\n", 200),
			wantName: "GET", wantKind: ptrace.SpanKindServer,
			want: serverWants(nil),
		},
		"a head that was cut in its target still has a method": {
			exchange: server("GET /a", 200),
			wantName: "GET", wantKind: ptrace.SpanKindServer,
			want: serverWants(map[string]any{"server.address": "10.0.0.1"}),
		},
		"no response is an error": {
			exchange: server("GET /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 0),
			wantName: "GET", wantKind: ptrace.SpanKindServer, wantError: true,
			want: serverWants(map[string]any{"http.response.status_code": nil, "error.type": "no_response"}),
		},
		"a client request has its whole URL, without passwords": {
			exchange: client("POST http://me:pw@shop/b?k=v HTTP/1.1\r\nHost: shop\r\n\r\n", 404),
			wantName: "POST", wantKind: ptrace.SpanKindClient, wantError: true,
			want: map[string]any{
				"http.request.method": "POST", "network.protocol.version": "1.1", "network.peer.address": "10.0.0.1",
				"network.peer.port": int64(8080), "server.address": "shop", "server.port": int64(80),
				"url.full": "http://shop/b?k=REDACTED", "http.response.status_code": int64(404), "error.type": "404",
			},
		},
		"a CONNECT names the server it wants": {
			exchange: client("CONNECT db:5432 HTTP/1.1\r\n\r\n", 200),
			wantName: "CONNECT", wantKind: ptrace.SpanKindClient,
			want: map[string]any{
				"http.request.method": "CONNECT", "network.protocol.version": "1.1", "network.peer.address": "10.0.0.1",
				"network.peer.port": int64(8080), "server.address": "db", "server.port": int64(5432), "http.response.status_code": int64(200),
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			span := decode(tc.exchange)
			if span.Name() != tc.wantName || span.Kind() != tc.wantKind {
				t.Errorf("got %s %s, want %s %s", span.Kind(), span.Name(), tc.wantKind, tc.wantName)
			}
			if got := span.Status().Code() == ptrace.StatusCodeError; got != tc.wantError {
				t.Errorf("error status is %v, want %v", got, tc.wantError)
			}
			if diff := cmp.Diff(tc.want, span.Attributes().AsRaw()); diff != "" {
				t.Errorf("attributes differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeKeepsIdsAndTimes(t *testing.T) {
	start := time.Unix(1700000000, 5)
	x := probe.Exchange{Kind: probe.Server, TraceID: [16]byte{1}, SpanID: [8]byte{2}, ParentSpanID: [8]byte{3}, Start: start, End: start.Add(time.Second)}
	span := decode(x)
	if span.TraceID() != x.TraceID || span.SpanID() != x.SpanID || span.ParentSpanID() != x.ParentSpanID {
		t.Error("ids differ from the exchange's")
	}
	if got := span.EndTimestamp() - span.StartTimestamp(); got != 1e9 {
		t.Errorf("the span lasts %d ns, want 1e9", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("GET /a?token=secret HTTP/1.1\r\nHost: x:80\r\nForwarded: for=\"[::1]:9\"\r\n\r\n"), uint16(200), true)
	f.Add([]byte("CONNECT a:b HTTP/1.1\r\n\r\n"), uint16(0), false)
	f.Add([]byte("\r\n\x00\xff GET"), uint16(999), true)
	f.Fuzz(func(t *testing.T, head []byte, status uint16, client bool) {
		x := probe.Exchange{Kind: probe.Server, RequestHead: head, StatusCode: status}
		if client {
			x.Kind = probe.Client
		}
		span := decode(x)
		if span.Name() == "" {
			t.Error("the span has no name")
		}
		span.Attributes().Range(func(k string, v pcommon.Value) bool {
			if len(v.AsString()) > 4*valueMax {
				t.Errorf("%s has %d bytes", k, len(v.AsString()))
			}
			return true
		})
		if q, ok := span.Attributes().Get("url.query"); ok && strings.Contains(q.Str(), "secret") && !strings.Contains(q.Str(), "secret=") {
			t.Errorf("a value is left in %q", q.Str())
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	x := probe.Exchange{
		Kind: probe.Server, StatusCode: 200, Peer: netip.MustParseAddrPort("10.0.0.9:40000"), Local: netip.MustParseAddrPort("10.0.0.1:80"),
		RequestHead: []byte("GET /hello?user=1 HTTP/1.1\r\nHost: shop:8080\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n"),
	}
	b.ReportAllocs()
	for b.Loop() {
		Decode(x, ptrace.NewSpan())
	}
}
