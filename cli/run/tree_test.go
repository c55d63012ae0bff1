package run

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

var update = flag.Bool("update", false, "write the golden files")

// entry is one span of a test, in words.
type entry struct {
	service      string
	id, parent   byte
	kind         ptrace.SpanKind
	name, path   string
	route        string
	url          string
	template     string
	status       int
	failed       string
	link         string
	start, ended time.Duration // since the test's noon
}

const (
	server = ptrace.SpanKindServer
	client = ptrace.SpanKindClient
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.Local)

func traces(t *testing.T, trace byte, entries ...entry) signal.Batch {
	t.Helper()
	td := ptrace.NewTraces()
	for _, e := range entries {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", e.service)
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{15: trace})
		s.SetSpanID(pcommon.SpanID{7: e.id})
		s.SetParentSpanID(pcommon.SpanID{7: e.parent})
		s.SetKind(e.kind)
		s.SetName(e.name)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(noon.Add(e.start)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(noon.Add(e.ended)))
		for key, value := range map[string]string{"url.path": e.path, "http.route": e.route, "url.full": e.url, "url.template": e.template, "error.type": e.failed, "odi.link.method": e.link} {
			if value != "" {
				s.Attributes().PutStr(key, value)
			}
		}
		if e.status != 0 {
			s.Attributes().PutInt("http.response.status_code", int64(e.status))
		}
		if e.failed != "" {
			s.Status().SetCode(ptrace.StatusCodeError)
		}
	}
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return signal.Batch{Signal: signal.Traces, Body: body, Items: len(entries)}
}

// shopTrace is a request through four services, in the order in which spans end.
func shopTrace(t *testing.T) signal.Batch {
	t.Helper()
	const ms = time.Millisecond
	return traces(t, 1,
		entry{service: "pricing", id: 5, parent: 4, kind: server, name: "GET /price/{order}", path: "/price/42", route: "/price/{order}", status: 200, link: "header", start: 5 * ms, ended: 6*ms + 420*time.Microsecond},
		entry{service: "catalogue", id: 4, parent: 3, kind: client, name: "GET", url: "http://pricing:8080/price/42?who=REDACTED", status: 200, link: "goroutine", start: 4 * ms, ended: 7 * ms},
		entry{service: "catalogue", id: 3, parent: 2, kind: server, name: "GET /*", path: "/products/42", route: "/*", status: 404, link: "header", start: 3 * ms, ended: 8 * ms},
		entry{service: "frontend", id: 2, parent: 1, kind: client, name: "GET /products/{id}", url: "http://catalogue:8080/products/42", template: "/products/{id}", status: 200, link: "goroutine", start: 2 * ms, ended: 9 * ms},
		entry{service: "inventory", id: 7, parent: 6, kind: server, name: "GET", path: "/stock/42", status: 503, failed: "503", link: "header", start: 10 * ms, ended: 1510 * ms},
		entry{service: "frontend", id: 6, parent: 1, kind: client, name: "GET", url: "http://inventory/stock/42", status: 503, failed: "503", link: "goroutine", start: 9 * ms, ended: 1511 * ms},
		entry{service: "frontend", id: 8, parent: 1, kind: client, name: "GET", url: "http://nobody:1/x", failed: "connection_reset", link: "goroutine", start: 1511 * ms, ended: 1512 * ms},
		entry{service: "frontend", id: 1, kind: server, name: "GET", path: "/checkout/42", status: 502, failed: "502", start: 0, ended: 1513 * ms},
	)
}

func TestTree(t *testing.T) {
	for name, tc := range map[string]struct {
		trace signal.Batch
		paint paint
	}{
		"shop":        {trace: shopTrace(t)},
		"shop-colour": {trace: shopTrace(t), paint: true},
		"parent-not-seen": {trace: traces(t, 2,
			entry{service: "cart", id: 2, parent: 9, kind: server, name: "GET", path: "/a", status: 200, link: "header", ended: time.Millisecond},
			entry{service: "cart", id: 3, parent: 2, kind: client, name: "GET", url: "http://b/", status: 200, link: "thread", ended: 500 * time.Microsecond},
		)},
		"ring-of-parents": {trace: traces(t, 3,
			entry{service: "a", id: 1, parent: 2, kind: server, name: "GET", path: "/", status: 200, link: "header"},
			entry{service: "b", id: 2, parent: 1, kind: server, name: "GET", path: "/", status: 200, link: "header"},
		)},
		"hostile-text": {trace: traces(t, 4,
			entry{service: "cart\x1b[2J", id: 1, kind: server, name: "GET", path: "/\x1b]0;owned\x07\n/x", status: 200},
		)},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := newPrinter(&out, tc.paint, books.New())
			p.Send(tc.trace)
			if err := p.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", out.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestTracesArePrintedWhenTheyAreComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out syncBuffer
		accounts := books.New()
		accounts.Seen(4)
		p := newPrinter(&out, false, accounts)
		defer func() {
			if err := p.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}()

		// Another process's span may still come, but not for ever.
		p.Send(traces(t, 1, entry{service: "cart", id: 1, parent: 9, kind: server, name: "GET", link: "header"}))
		time.Sleep(quiet / 2)
		if out.String() != "" {
			t.Error("printed before the trace was quiet")
		}
		time.Sleep(quiet)
		if !strings.Contains(out.String(), "cart") {
			t.Error("a quiet trace is not printed")
		}

		// A request of the same process that has not ended is waited for.
		p.Send(traces(t, 2, entry{service: "slow", id: 2, parent: 1, kind: client, name: "GET", link: "thread"}))
		time.Sleep(3 * time.Second)
		if strings.Contains(out.String(), "slow") {
			t.Error("printed without the request that it belongs to")
		}
		p.Send(traces(t, 2, entry{service: "slow", id: 1, kind: server, name: "GET"}))
		time.Sleep(2 * quiet)
		if !strings.Contains(out.String(), "2 spans") {
			t.Errorf("want one tree of two spans:\n%s", out.String())
		}
		p.Send(traces(t, 3, entry{service: "endless", id: 2, parent: 1, kind: client, name: "GET", link: "thread"}))
		time.Sleep(patience + quiet)
		if !strings.Contains(out.String(), "endless") {
			t.Error("never printed")
		}
		if b := accounts.Balance(nil); b.Sent != 4 || b.Queued != 0 {
			t.Errorf("books: %+v", b)
		}
	})
}

// syncBuffer may be read while the printer writes.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestSentence(t *testing.T) {
	b := books.Balance{Seen: 12, Sent: 9, Dropped: map[loss.Name]uint64{"ring_full": 1, "detached": 2}}
	if got, want := sentence(b), "seen 12 = sent 9 + dropped 3 (detached 2, ring_full 1)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := sentence(books.Balance{}), "seen 0 = sent 0 + dropped 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
