package bpf_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// The clients in this file are real ones, which are watched before they begin.

// waiting is a program that goes on once it gets a line.
type waiting struct {
	cmd   *exec.Cmd
	begin io.WriteCloser
	said  bytes.Buffer
}

func startWaiting(t *testing.T, name string, args ...string) *waiting {
	t.Helper()
	w := &waiting{cmd: program.Command(t, name, args...)}
	w.cmd.Stdout, w.cmd.Stderr = &w.said, &w.said
	var err error
	if w.begin, err = w.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	return w
}

// run has it go on, and waits for its end.
func (w *waiting) run(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(w.begin, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, w.said.String())
	}
}

// clients starts a client of each language, which asks addr so many times.
func clients(t *testing.T, mode string, times int) map[string]func(t *testing.T, addr string) *waiting {
	t.Helper()
	n := fmt.Sprint(times)
	bin := filepath.Join(t.TempDir(), "clients")
	if out, err := program.Command(t, "go", "build", "-o", bin, "./testdata/clients").CombinedOutput(); err != nil {
		t.Fatalf("building the client: %v: %s", err, out)
	}
	return map[string]func(t *testing.T, addr string) *waiting{
		"Python": func(t *testing.T, addr string) *waiting {
			return startWaiting(t, "python3", "testdata/clients/clients.py", addr, mode, n)
		},
		"Node.js": func(t *testing.T, addr string) *waiting {
			return startWaiting(t, "node", "testdata/clients/clients.js", addr, mode, n)
		},
		"Go": func(t *testing.T, addr string) *waiting { return startWaiting(t, bin, addr, mode, n) },
	}
}

// clientSpans fails unless there are n, each with status 200 and without an error.
func clientSpans(t *testing.T, r *recorder, n int) []span {
	t.Helper()
	spans := r.waitFor(n)
	for _, s := range spans {
		if s.Kind != probe.Client || s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
			t.Errorf("%s of kind %d ended with %d %s", s.path, s.Kind, s.StatusCode, s.Error)
		}
	}
	if len(spans) != n {
		t.Errorf("%d spans, want %d (drops %v)", len(spans), n, r.engine.Drops())
	}
	return spans
}

// TestAnswersThatEndTheConnection has answers whose last byte comes with the end of
// the connection: with a length, and without one.
func TestAnswersThatEndTheConnection(t *testing.T) {
	needRoot(t)
	const times = 100
	ask := clients(t, "close", times)
	for kind, answer := range map[string]string{
		"HTTP/1.1": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
		"HTTP/1.0": "HTTP/1.0 200 OK\r\n\r\nuntil the end",
	} {
		for name, startClient := range ask {
			t.Run(name+" reads "+kind, func(t *testing.T) {
				addr := serveRaw(t, func(c *net.TCPConn, _ string) error {
					if _, err := io.WriteString(c, answer); err != nil {
						return err
					}
					return io.EOF // the end of the connection
				})
				client := startClient(t, addr)
				r := record(t, uint32(client.cmd.Process.Pid))
				client.run(t)
				clientSpans(t, r, times)
			})
		}
	}
}

// TestUploads sends bodies that no socket takes in one piece, and goes on with the
// connection: one span and one header for each request, but for what docs/seen.md says of
// connections that block.
func TestUploads(t *testing.T) {
	needRoot(t)
	const times = 4
	for name, startClient := range clients(t, "upload", times) {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			headers := map[string]int{}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n, _ := io.Copy(io.Discard, r.Body)
				if strings.HasPrefix(r.URL.Path, "/up") && n != 5_000_000 {
					t.Errorf("%s: %d bytes", r.URL.Path, n)
				}
				mu.Lock()
				defer mu.Unlock()
				headers[r.URL.Path] += len(r.Header.Values("Traceparent"))
				_, _ = io.WriteString(w, "ok")
			})}
			go func() { _ = server.Serve(l) }()
			t.Cleanup(func() { server.Close() })
			client := startClient(t, l.Addr().String())
			r := record(t, uint32(client.cmd.Process.Pid))
			client.run(t)
			for _, s := range clientSpans(t, r, 2*times) {
				if strings.HasPrefix(s.path, "/up") && s.RequestBodySize != 5_000_000 {
					t.Errorf("%s: a body of %d bytes", s.path, s.RequestBodySize)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			bare := uint64(0)
			for path, n := range headers {
				if n == 0 && name == "Python" && path != "/up0" {
					bare++ // a blocking connection that had waited for room was not back in the map yet
				} else if n != 1 {
					t.Errorf("%s came with %d headers", path, n)
				}
			}
			if counted := r.engine.Drops()["header_not_written"]; counted != bare {
				t.Errorf("%d requests came without header, %d are counted", bare, counted)
			}
			if len(headers) != 2*times {
				t.Errorf("%d requests have arrived, want %d", len(headers), 2*times)
			}
		})
	}
}

// TestAptFetchesPipelined has apt fetch files from nginx, ten requests ahead: each
// has its span on either side.
func TestAptFetchesPipelined(t *testing.T) {
	needRoot(t)
	const files = 11
	to, addr := t.TempDir(), loopback.Address(t)
	nginx, dir := startNginxServer(t, addr, "root $here;")
	fetch := []string{"-c", `read go; exec /usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::http::Proxy=DIRECT -o Acquire::http::Pipeline-Depth=10 download-file "$@"`, "apt"}
	want := map[string]int{}
	for i := range files {
		name := fmt.Sprintf("f%d.deb", i)
		if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte{'a' + byte(i)}, 20_000*(i+1)), 0o600); err != nil {
			t.Fatal(err)
		}
		fetch = append(fetch, "http://"+addr+"/"+name, filepath.Join(to, name), "")
		want["/"+name] = 2
	}
	apt := startWaiting(t, "sh", fetch...)
	r := record(t, append(children(t, nginx), nginx, uint32(apt.cmd.Process.Pid))...)
	apt.run(t)
	spans := r.waitFor(2 * files)
	for _, s := range spans {
		want[s.path]--
		if s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
			t.Errorf("%s of kind %d ended with %d %s", s.path, s.Kind, s.StatusCode, s.Error)
		}
	}
	for path, n := range want {
		if n != 0 {
			t.Errorf("%d spans of %s are missing (drops %v)", n, path, r.engine.Drops())
		}
	}
	judge(t, spans)
	for i := range files {
		got, err := os.ReadFile(filepath.Join(to, fmt.Sprintf("f%d.deb", i)))
		if err != nil || len(got) != 20_000*(i+1) {
			t.Errorf("file %d has %d bytes (%v)", i, len(got), err)
		}
	}
}

// startNginxServer starts an nginx with one server, whose folder is $here.
func startNginxServer(t *testing.T, addr, server string) (pid uint32, dir string) {
	t.Helper()
	dir = t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	text := strings.ReplaceAll(`daemon off; user root; worker_processes 1; pid $here/pid; error_log $here/error.log;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path $here; proxy_temp_path $here; fastcgi_temp_path $here; uwsgi_temp_path $here; scgi_temp_path $here;
  server { listen `+addr+"; "+server+" }\n}", "$here", dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, addr, "nginx", "-c", conf, "-p", dir), dir
}

// TestTraceparentBehindCookies sends a traceparent behind cookies of many sizes
// through proxies: it goes on as one, which names the proxy's own span. Go writes
// heads of more than 4 KB in pieces; what came in goes on then, and is counted.
func TestTraceparentBehindCookies(t *testing.T) {
	needRoot(t)
	sizes := []int{100, 1000, 7000, 15_000, 20_000, 60_000}
	t.Run("nginx", func(t *testing.T) {
		next, pids := chain(t, "python")
		addr := loopback.Address(t)
		nginx, _ := startNginxServer(t, addr, "large_client_header_buffers 4 80k; location / { proxy_pass "+next+"; proxy_http_version 1.1; proxy_set_header Connection ''; }")
		r := record(t, append(append(pids, nginx), children(t, nginx)...)...)
		if cut := behindCookies(t, r, "http://"+addr, sizes, pids[0]); cut > 0 {
			t.Errorf("%d of %d chains are cut", cut, len(sizes))
		}
	})
	t.Run("a Go reverse proxy", func(t *testing.T) {
		base, pids := chain(t, "proxy", "python")
		r := record(t, pids...)
		cut := behindCookies(t, r, base, sizes, pids[0])
		if counted := r.engine.Drops()["header_not_written"]; cut > 4 || uint64(cut) != counted {
			t.Errorf("%d of %d chains are cut, and %d are counted", cut, len(sizes), counted)
		}
	})
}

// behindCookies asks with cookies of each size, and returns how often the server's
// parent is the caller, not the proxy in between. Nothing else may be wrong.
func behindCookies(t *testing.T, r *recorder, base string, sizes []int, last uint32) (cut int) {
	t.Helper()
	for i, size := range sizes {
		r.reset()
		trace, caller := fmt.Sprintf("%032x", 0xabc000+i), fmt.Sprintf("%016x", 0xdef000+i)
		out := get(t, http.DefaultClient, fmt.Sprintf("%s/size%d", base, size),
			"Cookie", "c="+strings.Repeat("k", size), "Traceparent", "00-"+trace+"-"+caller+"-01")
		spans := r.waitFor(3)
		if n := strings.Count(out, "'00-"); n != 1 {
			t.Errorf("cookies of %d bytes: %d headers have arrived: %s", size, n, strings.TrimSpace(out))
		}
		var proxied, asked, served span
		for _, s := range spans {
			switch {
			case s.Kind == probe.Client:
				asked = s
			case s.PID == last:
				served = s
			default:
				proxied = s
			}
			if fmt.Sprintf("%x", s.TraceID) != trace {
				t.Errorf("cookies of %d bytes: a span of trace %x", size, s.TraceID)
			}
		}
		if served.ParentSpanID != asked.SpanID && fmt.Sprintf("%x", served.ParentSpanID) == caller {
			cut++
		} else if served.ParentSpanID != asked.SpanID {
			t.Errorf("cookies of %d bytes: the server's parent is %x", size, served.ParentSpanID)
		}
		if len(spans) != 3 || asked.ParentSpanID != proxied.SpanID || fmt.Sprintf("%x", proxied.ParentSpanID) != caller {
			t.Errorf("cookies of %d bytes: %d spans, no chain", size, len(spans))
			dump(t, spans)
		}
	}
	return cut
}

// TestGoBuilds traces one program, however it was built and whatever has become of
// its file: each outgoing request has its parent.
func TestGoBuilds(t *testing.T) {
	needRoot(t)
	const requests = 40
	next, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOK(t, next)
	for name, tc := range map[string]struct {
		file    string
		flags   []string
		replace bool
	}{
		"plain":                {file: "plain"},
		"stripped":             {file: "stripped", flags: []string{"-ldflags", "-s -w"}},
		"PIE":                  {file: "pie", flags: []string{"-buildmode=pie"}},
		"a blank in its name":  {file: "pie (deleted) one", flags: []string{"-buildmode=pie"}},
		"its file was removed": {file: "gone", flags: []string{"-buildmode=pie"}, replace: true},
	} {
		t.Run(name, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), tc.file)
			args := append([]string{"build", "-o", bin}, tc.flags...)
			if out, err := program.Command(t, "go", append(args, "./testdata/hop")...).CombinedOutput(); err != nil {
				t.Fatalf("building the application: %v: %s", err, out)
			}
			addr := loopback.Address(t)
			pid := start(t, addr, bin, addr, "http://"+next.Addr().String(), "direct")
			if tc.replace {
				if err := os.Remove(bin); err != nil {
					t.Fatal(err)
				}
			}
			r := record(t, pid)
			storm(t, "http://"+addr, "b", requests, 8)
			found := judge(t, r.waitFor(2*requests))[pid]
			if found == nil || found.server != requests || found.client != requests || found.linked != requests {
				t.Errorf("%+v, want %d of each", found, requests)
			}
		})
	}
}
