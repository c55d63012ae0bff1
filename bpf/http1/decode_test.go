package http1

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
)

func decode(x probe.Exchange) probe.Span {
	var span probe.Span
	Decode(&x, &span)
	return span
}

// values returns the attributes by key.
func values(t *testing.T, span probe.Span) map[string]any {
	t.Helper()
	all := make(map[string]any)
	for _, a := range span.Attributes {
		if _, twice := all[a.Key]; twice {
			t.Errorf("%s is put twice", a.Key)
		}
		all[a.Key] = a.Text
		if a.IsNumber {
			all[a.Key] = a.Number
		}
	}
	return all
}

func TestDecode(t *testing.T) {
	local, peer := netip.MustParseAddrPort("10.0.0.1:8080"), netip.MustParseAddrPort("10.0.0.9:40000")
	server := func(head string, status uint16) probe.Exchange {
		return probe.Exchange{Kind: probe.Server, Local: local, Peer: peer, StatusCode: status, RequestBodySize: -1, ResponseBodySize: -1, RequestHead: []byte(head)}
	}
	client := func(head string, status uint16) probe.Exchange {
		return probe.Exchange{Kind: probe.Client, Local: peer, Peer: local, StatusCode: status, RequestBodySize: -1, ResponseBodySize: -1, RequestHead: []byte(head)}
	}
	sized := func(x probe.Exchange, request, response int64) probe.Exchange {
		x.RequestBodySize, x.ResponseBodySize = request, response
		return x
	}
	overTLS := func(x probe.Exchange) probe.Exchange {
		x.TLS = true
		return x
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
		wantError bool
		want      map[string]any
	}{
		"who the user is, is not told of the host": {
			exchange: server("GET /a HTTP/1.1\r\nHost: alice:secret@shop:8080\r\n\r\n", 200),
			wantName: "GET",
			want:     serverWants(nil),
		},
		"a server request has path, host, user agent and a redacted query": {
			exchange: server("GET /a?token=secret&x=1 HTTP/1.1\r\nHost: shop:8080\r\nUSER-AGENT: curl/8\r\n\r\n", 200),
			wantName: "GET",
			want:     serverWants(map[string]any{"url.query": "token=REDACTED&x=REDACTED", "user_agent.original": "curl/8"}),
		},
		"a request over TLS has another scheme and port": {
			exchange: overTLS(server("GET /a HTTP/1.1\r\nHost: shop\r\n\r\n", 200)),
			wantName: "GET",
			want:     serverWants(map[string]any{"url.scheme": "https", "server.port": int64(443)}),
		},
		"a request to a proxy over TLS says its scheme itself": {
			exchange: overTLS(server("GET http://shop:8080/a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 200)),
			wantName: "GET",
			want:     serverWants(nil),
		},
		"a session without a known socket has no peer": {
			exchange: probe.Exchange{Kind: probe.Server, TLS: true, StatusCode: 200, RequestBodySize: -1, ResponseBodySize: -1, RequestHead: []byte("GET /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n")},
			wantName: "GET",
			want: serverWants(map[string]any{
				"url.scheme": "https", "network.peer.address": nil, "network.peer.port": nil, "client.address": nil,
			}),
		},
		"a 404 is no error of the server": {
			exchange: server("GET /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 404),
			wantName: "GET",
			want:     serverWants(map[string]any{"http.response.status_code": int64(404)}),
		},
		"a 503 is an error of the server": {
			exchange: server("GET /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 503),
			wantName: "GET", wantError: true,
			want: serverWants(map[string]any{"http.response.status_code": int64(503), "error.type": "503"}),
		},
		"a method that nobody knows is _OTHER": {
			exchange: server("FROB /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 200),
			wantName: "HTTP",
			want:     serverWants(map[string]any{"http.request.method": "_OTHER", "http.request.method_original": "FROB"}),
		},
		"the first hop of X-Forwarded-For is the client": {
			exchange: server("GET /a HTTP/1.0\r\nHost: shop:8080\r\nX-Forwarded-For: 192.0.2.7, 10.0.0.2\r\n\r\n", 200),
			wantName: "GET",
			want:     serverWants(map[string]any{"client.address": "192.0.2.7", "network.protocol.version": "1.0"}),
		},
		"a forged X-Forwarded-For is not believed": {
			exchange: server("GET /a HTTP/1.1\r\nHost: shop:8080\r\nX-Forwarded-For: <script>\r\n\r\n", 200),
			wantName: "GET",
			want:     serverWants(nil),
		},
		"a head that was cut in its target still has a method": {
			exchange: server("GET /a", 200),
			wantName: "GET",
			want:     serverWants(map[string]any{"server.address": "10.0.0.1"}),
		},
		"no response is an error": {
			exchange: server("GET /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 0),
			wantName: "GET", wantError: true,
			want: serverWants(map[string]any{"http.response.status_code": nil, "error.type": "no_response"}),
		},
		"a client request has its whole URL, without passwords": {
			exchange: client("POST http://me:pw@shop/b?k=v HTTP/1.1\r\nHost: shop\r\n\r\n", 404),
			wantName: "POST", wantError: true,
			want: map[string]any{
				"http.request.method": "POST", "network.protocol.version": "1.1", "network.peer.address": "10.0.0.1",
				"network.peer.port": int64(8080), "server.address": "shop", "server.port": int64(80),
				"url.full": "http://shop/b?k=REDACTED", "http.response.status_code": int64(404), "error.type": "404",
			},
		},
		"a client request says how long the bodies were": {
			exchange: sized(client("POST /b HTTP/1.1\r\nHost: shop\r\n\r\n", 200), 10, 0),
			wantName: "POST",
			want: map[string]any{
				"http.request.method": "POST", "network.protocol.version": "1.1", "network.peer.address": "10.0.0.1",
				"network.peer.port": int64(8080), "server.address": "shop", "server.port": int64(80),
				"url.full": "http://shop/b", "http.response.status_code": int64(200), "http.request.body.size": int64(10), "http.response.body.size": int64(0),
			},
		},
		"a server request, too": {
			exchange: sized(server("GET /a HTTP/1.1\r\nHost: shop:8080\r\n\r\n", 200), 0, 7),
			wantName: "GET",
			want:     serverWants(map[string]any{"http.request.body.size": int64(0), "http.response.body.size": int64(7)}),
		},
		"a CONNECT names the server it wants": {
			exchange: client("CONNECT db:5432 HTTP/1.1\r\n\r\n", 200),
			wantName: "CONNECT",
			want: map[string]any{
				"http.request.method": "CONNECT", "network.protocol.version": "1.1", "network.peer.address": "10.0.0.1",
				"network.peer.port": int64(8080), "server.address": "db", "server.port": int64(5432), "http.response.status_code": int64(200),
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			span := decode(tc.exchange)
			if span.Name != tc.wantName {
				t.Errorf("the name is %s, want %s", span.Name, tc.wantName)
			}
			if span.Failed != tc.wantError {
				t.Errorf("failed is %v, want %v", span.Failed, tc.wantError)
			}
			if diff := cmp.Diff(tc.want, values(t, span)); diff != "" {
				t.Errorf("attributes differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMeasured: what tells series apart is marked where it is read.
func TestMeasured(t *testing.T) {
	x := serverExchange("GET /a?b=c HTTP/1.1\r\nHost: shop:8080\r\nUser-Agent: curl/8\r\n\r\n")
	x.StatusCode = 503
	client := x
	client.Kind = probe.Client
	for name, tc := range map[string]struct {
		exchange                 probe.Exchange
		instrument, route, agent string
		routeIsLabel             bool
		labels                   []string
	}{
		"a server": {
			exchange: x, instrument: "http.server.request.duration", route: "http.route", routeIsLabel: true, agent: "curl/8",
			labels: []string{"http.request.method", "http.response.status_code", "url.scheme", "error.type"},
		},
		"a client": {
			exchange: client, instrument: "http.client.request.duration", route: "url.template",
			labels: []string{"http.request.method", "http.response.status_code", "server.address", "server.port", "error.type"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			span := decode(tc.exchange)
			var labels []string
			for _, a := range span.Attributes {
				if a.IsLabel {
					labels = append(labels, a.Key)
				}
			}
			if diff := cmp.Diff(tc.labels, labels); diff != "" || span.Instrument.Name != tc.instrument {
				t.Errorf("labels of %s (-want +got):\n%s", span.Instrument.Name, diff)
			}
			want := probe.Path{Text: "/a", Route: tc.route, RouteIsLabel: tc.routeIsLabel}
			if span.Path != want || span.UserAgent != tc.agent || span.Server != "shop" || span.Port != 8080 {
				t.Errorf("path %+v, agent %q, server %s:%d", span.Path, span.UserAgent, span.Server, span.Port)
			}
		})
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
		if span.Name == "" {
			t.Error("the span has no name")
		}
		for key, value := range values(t, span) {
			s, isText := value.(string)
			if isText && len(s) > 4*1024 || !utf8.ValidString(s) {
				t.Errorf("%s has %d bytes: %q", key, len(s), s)
			}
			if key == "url.query" && strings.Contains(s, "secret") && !strings.Contains(s, "secret=") {
				t.Errorf("a value is left in %q", s)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	x := probe.Exchange{
		Kind: probe.Server, StatusCode: 200, Peer: netip.MustParseAddrPort("10.0.0.9:40000"), Local: netip.MustParseAddrPort("10.0.0.1:80"),
		RequestHead: []byte("GET /hello?user=1 HTTP/1.1\r\nHost: shop:8080\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n"),
	}
	b.ReportAllocs()
	var span probe.Span
	for b.Loop() {
		span.Reset()
		Decode(&x, &span)
	}
}
