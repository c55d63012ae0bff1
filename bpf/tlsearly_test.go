package bpf_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestEarlyData: a request that comes before the handshake is over, as a client says of each that its server took it so, and
// the one that follows on the same connection, are one span each.
func TestEarlyData(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	addr, dir := loopback.Address(t), t.TempDir()
	path := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; user root; worker_processes 1; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  server { listen %[2]s ssl; ssl_protocols TLSv1.3; ssl_early_data on; ssl_certificate %[3]s; ssl_certificate_key %[4]s; location / { return 200 "hello"; } }
}`, dir, addr, cert, key)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	workers := children(t, start(t, addr, "nginx", "-c", path, "-p", dir))
	r := record(t, workers...)
	roomtest.AwaitTLS(t, r.engine, workers...)
	program.Need(t, "openssl")
	ask := func(script string) string {
		cmd := program.Command(t, "sh", "-c", script)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	client := "openssl s_client -connect " + addr + " -ign_eof "
	get := func(path, more string) string {
		return `printf 'GET ` + path + ` HTTP/1.1\r\nHost: x\r\n` + more + `\r\n'`
	}
	ask(get("/before", `Connection: close\r\n`) + " | " + client + "-sess_out session >/dev/null")
	const n = 5
	for i := range n {
		early, late := fmt.Sprint("/early", i), fmt.Sprint("/late", i)
		out := ask(get(early, "") + " > early; (sleep 0.2; " + get(late, `Connection: close\r\n`) + ") | " + client + "-sess_in session -early_data early")
		if !strings.Contains(out, "Early data was accepted") || strings.Count(out, "200 OK") != 2 {
			t.Fatalf("the client says %s", out)
		}
	}
	seen := map[string]int{}
	for _, s := range r.waitFor(2*n + 1) {
		seen[s.path]++
		if !s.TLS || s.Kind != probe.Server || s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
			t.Errorf("%+v", s)
		}
	}
	for i := range n {
		for _, kind := range []string{"/early", "/late"} {
			if path := fmt.Sprint(kind, i); seen[path] != 1 {
				t.Errorf("%s: %d spans, want 1 (lost: %v)", path, seen[path], r.engine.Drops())
			}
		}
	}
}
