package bpf_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// conf writes a configuration, in a folder of its own.
func conf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMoreProxies: what comes to a proxy, and what it asks for, is one span each, and none has another's parent. A path has its number.
func TestMoreProxies(t *testing.T) {
	needRoot(t)
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
	t.Cleanup(back.Close)
	next := strings.TrimPrefix(back.URL, "http://")
	nextHost, nextPort, _ := net.SplitHostPort(next)
	tests := map[string]struct {
		loop  bool // a runtime that is known to answer what it has read last
		start func(t *testing.T, addr string) []uint32
	}{
		"lighttpd": {loop: true, start: func(t *testing.T, addr string) []uint32 {
			host, port, _ := net.SplitHostPort(addr)
			text := `server.modules = ("mod_proxy")
server.bind = %q
server.port = %s
server.document-root = "/tmp"
proxy.server = ("" => (("host" => %q, "port" => %s)))
`
			return []uint32{start(t, addr, "lighttpd", "-D", "-f", conf(t, fmt.Sprintf(text, host, port, nextHost, nextPort)))}
		}},
		"Varnish": {start: func(t *testing.T, addr string) []uint32 {
			return children(t, start(t, addr, "varnishd", "-F", "-n", t.TempDir(), "-a", addr, "-b", next, "-s", "malloc,16m"))
		}},
		"Caddy": {start: func(t *testing.T, addr string) []uint32 {
			text := "{\n admin off\n auto_https off\n}\nhttp://%s {\n reverse_proxy %s\n}\n"
			return []uint32{start(t, addr, "caddy", "run", "--adapter", "caddyfile", "--config", conf(t, fmt.Sprintf(text, addr, next)))}
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			addr := loopback.Address(t)
			r := record(t)
			for _, pid := range tc.start(t, addr) {
				if err := r.engine.AddTarget(probe.Target{PID: pid, Propagate: true, Children: true, EventLoopProxy: tc.loop}); err != nil {
					t.Fatal(err)
				}
			}
			for _, width := range []int{1, 10, 100} {
				t.Run(fmt.Sprint(width), func(t *testing.T) {
					r.reset()
					const n = 300
					client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: width}}
					stormWith(t, client, fmt.Sprintf("http://%s/width%d/", addr, width), n, width)
					wantBoth(t, r, width, n, tc.loop)
					client.CloseIdleConnections()
				})
			}
			r.stop()
		})
	}
}

// wantBoth wants a span at either side of a proxy for each of n requests.
func wantBoth(t *testing.T, r *recorder, width, n int, linked bool) {
	t.Helper()
	spans := r.waitFor(2 * n)
	seen := map[probe.Kind]map[string]int{probe.Server: {}, probe.Client: {}}
	for _, s := range spans {
		seen[s.Kind][s.path]++
		if s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
			t.Errorf("%+v", s)
		}
	}
	for kind, paths := range seen {
		for i := range n {
			if path := fmt.Sprintf("/width%d/%d", width, i); paths[path] != 1 {
				t.Errorf("%s: %d spans of side %v, want 1 (lost: %v)", path, paths[path], kind, r.engine.Drops())
			}
		}
	}
	for _, l := range judge(t, spans) {
		if linked != (l.linked > n*9/10) {
			t.Errorf("%d of %d are linked", l.linked, n)
		}
	}
}
