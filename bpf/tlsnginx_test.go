package bpf_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/http1"
	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// startTLSNginx starts a proxy with TLS on both sides, and a directory of its own.
func startTLSNginx(t *testing.T, addr, next, cert, key string) (master uint32, workers []uint32) {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; user root; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  upstream next { server %[3]s; keepalive 32; }
  server { listen %[2]s ssl http2; ssl_certificate %[4]s; ssl_certificate_key %[5]s;
    location /large { root %[1]s; }
    location / { proxy_pass https://next; proxy_http_version 1.1; proxy_set_header Connection ''; }
  }
}`, dir, addr, next, cert, key)
	for name, text := range map[string]string{conf: text, filepath.Join(dir, "large"): strings.Repeat("l", 3_000_000)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	master = start(t, addr, "nginx", "-c", conf, "-p", dir)
	return master, children(t, master)
}

// TestNginxOverTLS: nginx between a client and Python, TLS on both sides.
func TestNginxOverTLS(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	front, back := loopback.Address(t), loopback.Address(t)
	second := start(t, back, "python3", "testdata/tlshop.py", back, "-", cert, key)
	_, workers := startTLSNginx(t, front, back, cert, key)
	r := record(t, append([]uint32{second}, workers...)...)
	roomtest.AwaitTLS(t, r.engine, append([]uint32{second}, workers...)...)
	for _, width := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			r.reset()
			const n = 500
			stormWith(t, tlsClient(t, cert, width), "https://"+front+"/tls", n, width)
			spans := r.waitFor(3 * n)
			found := judge(t, spans)
			if len(spans) != 3*n {
				t.Errorf("want %d spans, got %d (lost: %v)", 3*n, len(spans), r.engine.Drops())
			}
			var all links
			for _, pid := range workers {
				if l := found[pid]; l != nil {
					all.server, all.client, all.linked = all.server+l.server, all.client+l.client, all.linked+l.linked
				}
			}
			if all.client != n || all.linked != n {
				t.Errorf("nginx: want %d linked requests, got %+v", n, all)
			}
		})
	}
	t.Run("large bodies", func(t *testing.T) {
		r.reset()
		out, err := program.Command(t, "curl", "-sS", "--http1.1", "--cacert", cert, "-Z", "-o", "/dev/null", fmt.Sprintf("https://%s/large?[1-50]", front)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		spans := r.waitFor(50)
		if len(spans) != 50 {
			t.Errorf("want 50 spans, got %d", len(spans))
		}
		for _, s := range spans {
			if s.ResponseBodySize != 3_000_000 || s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
				t.Errorf("%s: %d bytes, status %d, %v", s.path, s.ResponseBodySize, s.StatusCode, s.Error)
			}
		}
	})
	t.Run("h2", func(t *testing.T) {
		r.reset()
		out, err := program.Command(t, "h2load", "-n", "1000", "-c", "10", "-m", "10", fmt.Sprintf("https://%s/h2", front)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got, each := map[string]int{}, "protocol %d kind %d status %d TLS %v"
		for _, s := range r.waitFor(3000) {
			got[fmt.Sprintf(each, s.Protocol, s.Kind, s.StatusCode, s.TLS)]++
		}
		want := map[string]int{
			fmt.Sprintf(each, http2.Protocol.Code, probe.Server, 200, true): 1000,
			fmt.Sprintf(each, http1.Protocol.Code, probe.Client, 200, true): 1000,
			fmt.Sprintf(each, http1.Protocol.Code, probe.Server, 200, true): 1000,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("losses %v (-want +got):\n%s", r.engine.Drops(), diff)
		}
	})
}
