package bpf_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// chain starts applications that ask one another, first to last, and returns
// the address of the first and all process ids.
func chain(t *testing.T, kinds ...string) (string, []uint32) {
	t.Helper()
	var pids []uint32
	next, bin := "-", hop(t)
	for i := len(kinds) - 1; i >= 0; i-- {
		addr := loopback.Address(t)
		var pid uint32
		switch kinds[i] {
		case "python":
			pid = start(t, addr, "python3", "testdata/hop.py", addr, next)
		case "poll", "edge", "executor", "background", "late-threads", "handover":
			pid = start(t, addr, "python3", "testdata/hop.py", addr, next, kinds[i])
		case "java":
			pid = start(t, addr, "java", "-XX:TieredStopAtLevel=1", "testdata/Hop.java", addr, next)
		case "node":
			pid = start(t, addr, "node", "testdata/hop.js", addr, next)
		case "nginx", "rewrite":
			pid = startNginx(t, addr, next, kinds[i] == "rewrite")
		case "haproxy":
			pid = startHAProxy(t, addr, next)
		default:
			pid = start(t, addr, bin, addr, next, kinds[i])
		}
		pids = append(pids, pid)
		if kinds[i] == "nginx" || kinds[i] == "rewrite" {
			pids = append(pids, children(t, pid)...)
		}
		next = "http://" + addr
	}
	return next, pids
}

// startNginx starts a proxy, which may put something in front of the path.
func startNginx(t *testing.T, addr, next string, rewrites bool) uint32 {
	t.Helper()
	dir, to := t.TempDir(), ""
	if rewrites {
		to = "/rewritten/"
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; user root; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  upstream next { server %[3]s; keepalive 32; keepalive_requests 200; keepalive_timeout 2s; }
  map $http_upgrade $hop { default upgrade; '' ''; }
  server { listen %[2]s; location / {
    proxy_pass http://next%[4]s; proxy_http_version 1.1; proxy_set_header Connection $hop; proxy_set_header Upgrade $http_upgrade;
  } }
}`, dir, addr, strings.TrimPrefix(next, "http://"), to)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return start(t, addr, "nginx", "-c", conf, "-p", dir)
}

func startHAProxy(t *testing.T, addr, next string) uint32 {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := fmt.Sprintf(`global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option splice-response
frontend in
  bind %s
  default_backend next
backend next
  http-reuse always
  server next %s
`, addr, strings.TrimPrefix(next, "http://"))
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return start(t, addr, "haproxy", "-db", "-f", conf)
}

func children(t *testing.T, pid uint32) []uint32 {
	t.Helper()
	out, err := program.Command(t, "pgrep", "-P", strconv.Itoa(int(pid))).Output()
	if none := new(exec.ExitError); errors.As(err, &none) && none.ExitCode() == 1 {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var pids []uint32
	for _, f := range strings.Fields(string(out)) {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, uint32(n))
	}
	return pids
}

// TestChains asks one request at a time, then many at once, through
// applications in several languages that ran before the engine did.
func TestChains(t *testing.T) {
	needRoot(t)
	tests := map[string]struct {
		kinds []string
		// wantTraces is how many traces one request makes.
		wantTraces int
		// wantLinked is the least share of client spans with a parent, by hop.
		wantLinked []float64
	}{
		"Go asks Go from another goroutine, and Python": {[]string{"direct", "goroutine", "python"}, 1, []float64{1, 1, 1}},
		"Go asks Go over connections of its own type":   {[]string{"wrapped", "direct"}, 1, []float64{1, 1}},
		"a Go reverse proxy":                            {[]string{"proxy", "direct"}, 1, []float64{1, 1}},
		"threaded Python asks Go":                       {[]string{"python", "python", "direct"}, 1, []float64{0.99, 0.99, 1}},
		"HAProxy asks Go":                               {[]string{"haproxy", "direct"}, 1, []float64{0.95, 1}},
		"nginx asks Go":                                 {[]string{"nginx", "direct", "direct"}, 1, []float64{0.9, 1, 1}},
		"Node.js asks Go from one thread":               {[]string{"node", "direct"}, 2, []float64{0, 1}},
		"threaded Java asks Go":                         {[]string{"java", "direct"}, 1, []float64{0.99, 1}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			base, pids := chain(t, tc.kinds...)
			get(t, http.DefaultClient, base+"/before")
			r := record(t, pids...)
			wantSpans := 2*len(tc.kinds) - 1
			const habit = 400 // until it is known when goroutines of each kind end
			storm(t, base, "habit", habit, 10)
			r.waitFor(habit * wantSpans)
			for i := range 5 {
				r.reset()
				get(t, http.DefaultClient, fmt.Sprintf("%s/one%d", base, i))
				spans := r.waitFor(wantSpans)
				judge(t, spans)
				traces := map[[16]byte]bool{}
				for _, s := range spans {
					traces[s.TraceID] = true
				}
				if len(spans) != wantSpans || len(traces) != tc.wantTraces {
					t.Errorf("request %d: %d spans in %d traces, want %d in %d", i, len(spans), len(traces), wantSpans, tc.wantTraces)
					dump(t, spans)
				}
			}
			storm(t, base, "warm", 100, 50)
			r.waitFor(wantSpans * 105)
			r.reset()
			const n = 2000
			storm(t, base, "m", n, 50)
			spans := r.waitFor(wantSpans * n)
			found := judge(t, spans)
			if len(spans) != wantSpans*n {
				t.Errorf("%d spans, want %d", len(spans), wantSpans*n)
			}
			t.Logf("drops %v", r.engine.Drops())
			for _, s := range r.engine.Targets() {
				if s.OpenRequests != 0 { // not below zero either
					t.Errorf("process %d still has %d open requests", s.PID, s.OpenRequests)
				}
				if l := found[s.PID]; l != nil {
					t.Logf("process %d: %s, server %d, client %d, linked %d", s.PID, s.Trust, l.server, l.client, l.linked)
				}
			}
			checkShares(t, found, pids, tc.kinds, tc.wantLinked)
		})
	}
}

func checkShares(t *testing.T, found map[uint32]*links, pids []uint32, kinds []string, want []float64) {
	t.Helper()
	at := 0
	for i := len(kinds) - 1; i >= 0; i-- {
		count := 1
		if kinds[i] == "nginx" {
			count = len(pids) - at
		}
		var sum links
		for _, pid := range pids[at : at+count] {
			if l := found[pid]; l != nil {
				sum.client += l.client
				sum.linked += l.linked
			}
		}
		at += count
		if share := float64(sum.linked) / float64(max(sum.client, 1)); sum.client > 0 && share < want[i] {
			t.Errorf("hop %d (%s) links %.4f of its requests, want %.2f", i, kinds[i], share, want[i])
		}
	}
}

func dump(t *testing.T, spans []span) {
	t.Helper()
	for _, s := range spans {
		t.Logf("kind %d pid %d tid %d goid %d trace %x span %x parent %x link %s injected %v status %d %s", s.Kind, s.PID, s.TID, s.GoID, s.TraceID[:4], s.SpanID[:4], s.ParentSpanID[:4], s.Link, s.Injected, s.StatusCode, s.path)
	}
}
