package sampling

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestMetricsAreTheSameAtEveryRatio sends random requests through nginx to servers in Go and in Python, and to these
// directly: kept alive, closing, pipelined, one at a time and a hundred. Whatever share of the traces is recorded, the
// metrics say what the clients have counted, and the spans are those of the traces that are to be recorded.
func TestMetricsAreTheSameAtEveryRatio(t *testing.T) {
	testkit.NeedRoot(t)
	towns := startTown(t)
	rules, err := probe.SampleRatio(0).WithRules([]probe.Rule{{Path: "/go/cart", Ratio: "1"}, {Method: "POST", Path: "/py/*", Ratio: "0.5"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name     string
		sampling probe.Sampling
		records  func(id [16]byte) bool // nil: the rules say
		clients  []int
	}{
		{"none", probe.SampleRatio(0), probe.SampleRatio(0).Records, []int{1, 10, 100}},
		{"some", probe.SampleRatio(0.1), probe.SampleRatio(0.1).Records, []int{10}},
		{"all", probe.SampleRatio(1), probe.SampleRatio(1).Records, []int{10}},
		{"rules", rules, nil, []int{100}},
	} {
		for _, clients := range tc.clients {
			t.Run(fmt.Sprintf("%s/%d", tc.name, clients), func(t *testing.T) {
				p := watchTown(t, towns, tc.sampling)
				calls := towns.ask(t, clients, 300+27*clients)
				p.compare(t, calls)
				p.compareSpans(t, calls, tc.records)
			})
		}
	}
}

// TestRequestsThatAreNotRecordedAreNoEvents: once they are known, hardly any is told of by itself.
func TestRequestsThatAreNotRecordedAreNoEvents(t *testing.T) {
	testkit.NeedRoot(t)
	w := startTown(t)
	p := watchTown(t, w, probe.SampleRatio(0))
	ask := func(n int) (all []*call) {
		for len(all) < n {
			c := &call{at: "nginx", method: http.MethodGet, path: "/go/cart", status: 200, size: 5}
			batch := []*call{c, c, c, c, c, c, c, c, c, c}
			if !w.converse(t, batch, nil) {
				t.FailNow()
			}
			all = append(all, batch...)
		}
		return all
	}
	calls := ask(500)
	time.Sleep(200 * time.Millisecond)
	p.single.Store(0)
	const n = 10_000
	calls = append(calls, ask(n)...)
	p.compare(t, calls)
	const seen = 3 * n // nginx asks, and is asked
	t.Logf("of %d requests that are not recorded %d were events", seen, p.single.Load())
	if got := p.single.Load(); got > seen/100 {
		t.Errorf("%d of %d were events", got, seen)
	}
}

// town is three servers: nginx asks the others.
type town struct{ nginx, golang, python place }

type place struct {
	addr string
	pid  uint32
}

func (w town) all() map[string]place {
	return map[string]place{"nginx": w.nginx, "go": w.golang, "py": w.python}
}

func startTown(t *testing.T) town {
	t.Helper()
	var w town
	for _, p := range []*place{&w.nginx, &w.golang, &w.python} {
		p.addr = loopback.Address(t)
	}
	w.golang.pid = started(t, w.golang.addr, program.Command(t, build(t, "./testdata/answers"), w.golang.addr))
	w.python.pid = started(t, w.python.addr, program.Command(t, "python3", "testdata/answers.py", w.python.addr))
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; master_process off; user root; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  keepalive_requests 100000;
  upstream shop { server %[3]s; keepalive 32; }
  upstream kitchen { server %[4]s; keepalive 32; }
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream off;
  server { listen %[2]s;
    location /go/ { proxy_pass http://shop; }
    location /py/ { proxy_pass http://kitchen; }
    location /own/ { return 200 "hello"; }
    location /own/lost { return 503 "lost!"; }
  }
}`, dir, w.nginx.addr, w.golang.addr, w.python.addr)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.nginx.pid = started(t, w.nginx.addr, program.Command(t, "nginx", "-c", conf, "-p", dir))
	return w
}

// call is a request and what it is answered.
type call struct {
	at           string // whose address
	method, path string
	sent, size   int
	status       int
	trace        [16]byte // zero: none is given
	flag         byte
	close        bool
	ms           int
}

func (w town) random(r *rand.Rand) *call {
	c := &call{method: http.MethodGet, status: 200, size: []int{0, 5, 128, 1000, 70_000}[r.IntN(5)]}
	next := []string{"go", "py"}[r.IntN(2)]
	if c.at = "nginx"; r.IntN(3) == 0 {
		c.at = next
	}
	c.path = fmt.Sprintf("/%s/%s", next, []string{"cart", "menu", "orders/open"}[r.IntN(3)])
	if r.IntN(4) == 0 {
		c.method, c.sent = http.MethodPost, r.IntN(2000)
	}
	switch r.IntN(10) {
	case 0:
		c.status = 404
	case 1:
		c.status = 503
	case 2:
		c.ms = 30
	case 3:
		if c.at == "nginx" {
			c.method, c.sent, c.size, c.path = http.MethodGet, 0, 5, "/own/word"
		}
	case 4:
		c.close = true
	}
	if r.IntN(5) == 0 {
		for i := range c.trace {
			c.trace[i] = byte(r.Uint32())
		}
		c.flag = byte(r.IntN(2))
	}
	return c
}

// bytes is the request on the wire.
func (c *call) bytes(addr string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s?status=%d&size=%d&ms=%d HTTP/1.1\r\nUser-Agent: a client of tests\r\nHost: %s\r\nX-Request: %x\r\n", c.method, c.path, c.status, c.size, c.ms, addr, rand.Uint64())
	if c.trace != [16]byte{} {
		fmt.Fprintf(&b, "traceparent: 00-%x-00000000000000aa-%02x\r\n", c.trace, c.flag)
	}
	if c.close {
		b.WriteString("Connection: close\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", c.sent, bytes.Repeat([]byte("y"), c.sent))
	return b.Bytes()
}

// ask sends n random requests by so many clients at a time.
func (w town) ask(t *testing.T, clients, n int) []*call {
	t.Helper()
	var mu sync.Mutex
	var all []*call
	warm := rand.New(rand.NewPCG(1, 2))
	for _, path := range []string{"/go/cart", "/go/menu", "/go/orders/open", "/py/cart", "/py/menu", "/py/orders/open"} { // every route is learned from an answer
		for _, at := range []string{"nginx", path[1:3]} {
			c := &call{at: at, method: http.MethodGet, path: path, status: 200}
			w.converse(t, []*call{c}, warm)
			all = append(all, c)
		}
	}
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), uint64(n)))
			for left := n / clients; left > 0; {
				batch := w.batch(r, left)
				if !w.converse(t, batch, r) {
					return
				}
				left -= len(batch)
				mu.Lock()
				all = append(all, batch...)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return all
}

// batch is what one connection carries.
func (w town) batch(r *rand.Rand, most int) []*call {
	var batch []*call
	for len(batch) < min(most, 1+r.IntN(20)) {
		c := w.random(r)
		if len(batch) > 0 {
			c.at = batch[0].at
			if want := c.at; want != "nginx" && c.path[1:3] != want {
				c.path = "/" + want + c.path[3:]
			}
			if c.at != "nginx" && c.path[1:4] == "own" {
				continue
			}
		}
		batch = append(batch, c)
		if c.close {
			break
		}
	}
	return batch
}

// converse sends calls over one connection, some of them before the answers to others unless r is nil.
func (w town) converse(t *testing.T, calls []*call, r *rand.Rand) bool {
	conn, err := net.Dial("tcp", w.all()[calls[0].at].addr)
	if err != nil {
		t.Error(err)
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	answers := bufio.NewReader(conn)
	for len(calls) > 0 {
		n := 1
		if r != nil && r.IntN(4) == 0 {
			n = min(len(calls), 1+r.IntN(5))
		}
		var text []byte
		for _, c := range calls[:n] {
			text = append(text, c.bytes(conn.RemoteAddr().String())...)
		}
		if _, err := conn.Write(text); err != nil {
			t.Errorf("sending to %s: %v", calls[0].at, err)
			return false
		}
		for _, c := range calls[:n] {
			answer, err := http.ReadResponse(answers, &http.Request{Method: c.method})
			if err != nil {
				t.Errorf("%+v: %v", c, err)
				return false
			}
			got, _ := io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if int(got) != c.size || answer.StatusCode != c.status {
				t.Errorf("%+v: %d bytes, %s", c, got, answer.Status)
			}
		}
		calls = calls[n:]
	}
	return true
}

// compareSpans compares the spans with what their traces are to come to.
func (p *pipes) compareSpans(t *testing.T, calls []*call, records func([16]byte) bool) {
	t.Helper()
	given := map[pcommon.TraceID]*call{}
	for _, c := range calls {
		if c.trace != [16]byte{} {
			given[c.trace] = c
		}
	}
	for id, n := range p.spans() {
		c := given[id]
		switch {
		case c != nil && c.flag == 0:
			t.Errorf("%d spans of a trace whose caller does not record it", n)
		case c == nil && records != nil && !records(id):
			t.Errorf("%d spans of %s, which is not to be recorded", n, id)
		}
		delete(given, id)
	}
	for id, c := range given {
		if c.flag == 1 {
			t.Errorf("no span of %s, whose caller records it: %+v", id, c)
		}
	}
	total := 0
	for _, n := range p.spans() {
		total += n
	}
	balance := p.books.Balance(nil)
	if int(balance.Seen) != total+int(balance.Dropped[loss.NotSampled]) || balance.DroppedTotal() != balance.Dropped[loss.NotSampled] {
		t.Errorf("%d requests were seen, %d have spans: %v", balance.Seen, total, balance.Dropped)
	}
	t.Logf("%d requests: %d spans, %d not sampled, %d events of the ring for these; lost %v", balance.Seen, total, balance.Dropped[loss.NotSampled], p.single.Load(), p.engine.Drops())
}
