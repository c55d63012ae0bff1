package http1

import (
	"bytes"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

func TestNames(t *testing.T) {
	tests := map[string]struct {
		head       string
		client     bool
		name, host string // as they are compared; an empty name: it has none
	}{
		"a path":                {head: "GET /cart HTTP/1.1\r\nHost: a\r\n\r\n", name: "GET /cart HTTP/1.1\r"},
		"a query":               {head: "GET /cart?id=1 HTTP/1.1\r\n\r\n", name: "GET /cart?"},
		"a client":              {head: "GET /cart?id=1 HTTP/1.1\r\nAccept: */*\r\nhOST:  shop:80\r\nHost: b\r\n\r\n", client: true, name: "GET /cart?", host: "  shop:80\r"},
		"no host":               {head: "GET /cart HTTP/1.0\r\n\r\n", client: true},
		"an empty host":         {head: "GET / HTTP/1.1\r\nHost: \r\nHost: b\r\n\r\n", client: true},
		"a host with a tab":     {head: "GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n", client: true},
		"a path with a control": {head: "GET /a\x01b HTTP/1.1\r\n\r\n"},
		"an empty line before":  {head: "\r\nGET / HTTP/1.1\r\n\r\n"},
		"lines without returns": {head: "GET / HTTP/1.1\n\n"},
		"a tunnel":              {head: "CONNECT a:1 HTTP/1.1\r\n\r\n"},
		"behind a proxy":        {head: "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\nGET / HTTP/1.1\r\n\r\n"},
		"no end of a line":      {head: "0 \r0"},
		"no method":             {head: "? "},
		"cut":                   {head: "GET /cart"},
		"too long":              {head: "GET /" + string(bytes.Repeat([]byte("a"), 200)) + " HTTP/1.1\r\n\r\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got probe.Names
			ok := Names(&got, []byte(tc.head), tc.client)
			if ok != (tc.name != "") {
				t.Fatalf("named %v", ok)
			}
			if n, h := trimmed(got.Name[:]), trimmed(got.Host[:]); ok && (n != tc.name || h != tc.host) {
				t.Errorf("%q and %q", n, h)
			}
		})
	}
}

func trimmed(b []byte) string { return string(bytes.TrimRight(b, "\x00")) }

// FuzzNames: what has the same name is the same in the metrics, whatever else there is in the heads.
func FuzzNames(f *testing.F) {
	f.Add([]byte("GET /cart?a HTTP/1.1\r\nHost: a\r\n\r\n"), []byte("GET /cart?b HTTP/1.0\r\nX: y\r\nhost: a\r\n\r\n"), true)
	f.Add([]byte("GET http://u@h/cart;a=b?c HTTP/1.1\r\n\r\n"), []byte("GET http://u@h/cart;a=b? HTTP/1.1\r\n\r\n"), false)
	f.Add([]byte("GET /a://b HTTP/1.1\r\nHost: a\r\n\r\n"), []byte("GET /a://b HTTP/1.1\r\nHost: a\r\nHost: c\r\n\r\n"), true)
	f.Fuzz(func(t *testing.T, a, b []byte, client bool) {
		var x, y probe.Names
		b = append(bytes.Clone(a[:min(len(a), 40)]), b...) // or hardly any would be named alike
		if !Names(&x, a, client) || !Names(&y, b, client) || x != y {
			return
		}
		if got, want := labels(b, client), labels(a, client); got != want {
			t.Errorf("%q and %q have one name, but %s and %s", a, b, want, got)
		}
	})
}

// labels are those of a request in the metrics, and its path.
func labels(head []byte, client bool) string {
	x := probe.Exchange{Kind: probe.Server, StatusCode: 200, RequestHead: head}
	if client {
		x.Kind = probe.Client
	}
	var span probe.Span
	Decode(&x, &span)
	text := span.Name + " " + span.Path.Text
	for _, a := range span.Attributes {
		if a.IsLabel {
			text += " " + a.Key + "=" + a.Text
		}
	}
	return text
}
