package python_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var servers = map[string]struct {
	args   []string
	routeA string
	leaf   string
	dies   bool // SIGTERM kills it, so that it sends nothing more.
}{
	"Flask in gunicorn": {
		args: []string{"-m", "gunicorn", "-b", "127.0.0.1:PORT", "-w", "2", "--threads", "4", "flask_app:app"}, routeA: "/a/<int:n>", leaf: "/leaf/<int:n>",
	},
	"Flask in gunicorn that loads it before it forks": {
		args: []string{"-m", "gunicorn", "-b", "127.0.0.1:PORT", "-w", "2", "--threads", "4", "--preload", "flask_app:app"}, routeA: "/a/<int:n>", leaf: "/leaf/<int:n>",
	},
	"Flask in gunicorn with gevent": {
		args: []string{"-m", "gunicorn", "-b", "127.0.0.1:PORT", "-w", "2", "-k", "gevent", "flask_app:app"}, routeA: "/a/<int:n>", leaf: "/leaf/<int:n>",
	},
	"Django in gunicorn": {
		args: []string{"-m", "gunicorn", "-b", "127.0.0.1:PORT", "-w", "2", "--threads", "4", "django_app:app"}, routeA: "a/<int:n>", leaf: "leaf/<int:n>",
	},
	"FastAPI in uvicorn with workers": {
		args: []string{"-m", "uvicorn", "--port", "PORT", "--workers", "2", "fastapi_app:app"}, routeA: "/a/{n}", leaf: "/leaf/{n}",
	},
	"Starlette in uvicorn": {
		args: []string{"-m", "uvicorn", "--port", "PORT", "starlette_app:app"}, routeA: "/a/{n}", leaf: "/leaf/{n}",
	},
	// Its spans have the route in their names alone.
	"Tornado": {args: []string{"tornado_app.py"}, dies: true},
	"aiohttp": {args: []string{"aiohttp_app.py"}, routeA: "/a/{n}", leaf: "/leaf/{n}"},
}

func TestServersGiveOneSpanPerRequest(t *testing.T) {
	for _, interpreter := range releases(t) {
		for name, tc := range servers {
			t.Run(pythonVersion(t, interpreter)+" "+name, func(t *testing.T) {
				to := newReceiver(t)
				s := serve(t, injected(agent(t), to.url), append([]string{environmentOf(t, interpreter, "frameworks")}, tc.args...)...)
				const requests = 20
				for i := range requests {
					get(t, s, i, "01")
					get(t, s, i, "00")
				}
				checkSpans(t, to.wait(t, 3*requests), requests, tc.routeA, tc.leaf)
				if states := statesOf(t, s.cmd.Process.Pid); states != "alive" {
					t.Errorf("the server says %q, want alive", states)
				}
				if took := s.end(t); took > 5*time.Second {
					t.Errorf("the server took %v to end", took)
				}
				if output := s.output(); strings.Contains(strings.ToLower(output), "opentelemetry") || strings.Contains(output, "Traceback") {
					t.Errorf("the server's log has words of the agent:\n%s", output)
				}
				if !tc.dies {
					to.wantMetrics(t)
				}
			})
		}
	}
}

// parentOf is the span that request n claims to come from.
func parentOf(n int) (traceID, spanID string) {
	return fmt.Sprintf("%032x", 0xabc000+n), fmt.Sprintf("%016x", 0xdef000+n)
}

func get(t *testing.T, s *service, n int, flags string) {
	t.Helper()
	traceID, spanID := parentOf(n)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%s/a/%d", s.port, n), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("traceparent", "00-"+traceID+"-"+spanID+"-"+flags)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.output())
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "leaf") {
		t.Fatalf("got %s %q, %v\n%s", response.Status, body, err, s.output())
	}
}

// checkSpans wants, of each sampled request, the span of /a, below it the client's, and below that the leaf's.
func checkSpans(t *testing.T, spans []span, requests int, routeA, leaf string) {
	t.Helper()
	if len(spans) != 3*requests {
		t.Errorf("got %d spans, want %d", len(spans), 3*requests)
	}
	below := map[string][]span{}
	for _, s := range spans {
		below[s.TraceID+" "+s.ParentID] = append(below[s.TraceID+" "+s.ParentID], s)
	}
	for n := range requests {
		traceID, at := parentOf(n)
		for _, want := range []struct {
			kind  int
			route string
		}{{server, routeA}, {client, ""}, {server, leaf}} {
			next := below[traceID+" "+at]
			if len(next) != 1 || next[0].Kind != want.kind || find(next[0].Attrs, "http.route") != want.route {
				t.Errorf("request %d: below %s: got %d: %.300v, want one span of kind %d with route %q", n, at, len(next), fmt.Sprint(next), want.kind, want.route)
				break
			}
			if status := find(next[0].Attrs, "http.response.status_code"); status != "200" {
				t.Errorf("request %d: %s has status %q, want the name and value of the stable conventions", n, next[0].Name, status)
			}
			at = next[0].SpanID
		}
	}
}

// statesOf reads, as the odiglet does, the state that a process maps.
func statesOf(t *testing.T, pid int) string {
	t.Helper()
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = maps.Close() }()
	var states []string
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if file := fields[len(fields)-1]; filepath.Base(filepath.Dir(file)) == "state" {
			states = append(states, filepath.Base(file))
		}
	}
	return strings.Join(states, " ")
}
