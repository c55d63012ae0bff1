package node

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/attach"
)

// page is a diary whose world the test makes, and what was written since it was read last.
type page struct {
	diary
	text    bytes.Buffer
	list    []attach.Instance
	lost    map[loss.Name]uint64
	between map[string]uint64
}

func newPage() *page {
	p := &page{lost: map[loss.Name]uint64{}}
	handler := slog.NewTextHandler(&p.text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	p.diary = diary{
		log:       slog.New(handler),
		instances: func() []attach.Instance { return p.list },
		whose:     func(attach.Instance) []any { return []any{"pod", "cart-1"} },
		dropped:   func() map[loss.Name]uint64 { return p.lost },
		losers:    func(loss.Name) map[string]uint64 { return p.between },
	}
	return p
}

func (p *page) read() string {
	defer p.text.Reset()
	return strings.TrimSpace(p.text.String())
}

func running(pid int, attached bool) attach.Instance {
	in := attach.Instance{Attached: attached, Service: "cart"}
	in.Process.PID, in.Process.Start, in.Process.Exe = pid, uint64(pid), "/app"
	in.Runtime.Language = "go"
	return in
}

func TestEachAttachIsALine(t *testing.T) {
	p := newPage()
	want := func(lines ...string) {
		t.Helper()
		p.look()
		if diff := cmp.Diff(strings.Join(lines, "\n"), p.read()); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	}
	want()
	p.list = []attach.Instance{running(7, true), running(8, false)}
	const seven = `pod=cart-1 service=cart pid=7 executable=/app runtime=go`
	want(`level=INFO msg="a process is instrumented" ` + seven)
	want()
	p.list = []attach.Instance{running(8, true)}
	want(`level=INFO msg="a process is instrumented" `+strings.ReplaceAll(seven, "pid=7", "pid=8"),
		`level=INFO msg="a process is instrumented no more" `+seven)
	again := running(8, true)
	again.Process.Start++ // Another one that has the number now.
	p.list = []attach.Instance{again}
	p.look()
	if got := p.read(); strings.Count(got, "\n") != 1 {
		t.Errorf("of a number that was taken again it says:\n%s", got)
	}
}

func TestManyProcessesFillNoLog(t *testing.T) {
	p := newPage()
	for pid := range 1000 {
		p.list = append(p.list, running(pid+1, true))
	}
	p.look()
	got := p.read()
	if n := strings.Count(got, "\n") + 1; n != diaryLines+1 || !strings.Contains(got, fmt.Sprintf("processes=%d", 1000-diaryLines)) {
		t.Errorf("%d lines, want %d and a sum:\n%s", n, diaryLines+1, got)
	}
}

func TestEachReasonOfLossIsALineWhileItLasts(t *testing.T) {
	p := newPage()
	p.lost = map[loss.Name]uint64{"ring_full": 5, loss.HealthCheck: 100}
	p.between = map[string]uint64{"a": 1, "b": 7, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1}
	p.tellLosses()
	const first = `level=WARN msg="requests gave no span" reason=ring_full why="requests ended faster than odi read them" ` +
		`requests=5 total=5 whose="b: 7, a: 1, c: 1, d: 1, e: 1, and 2 more"`
	if diff := cmp.Diff(first, p.read()); diff != "" {
		t.Errorf("the first loss (-want +got):\n%s", diff)
	}
	p.tellLosses()
	if got := p.read(); got != "" {
		t.Errorf("nothing was lost since, and it says %s", got)
	}
	p.lost = map[loss.Name]uint64{"ring_full": 8, loss.QueueFull: 1}
	p.tellLosses()
	if got := p.read(); !strings.Contains(got, "requests=3 total=8") || strings.Count(got, "\n") != 1 {
		t.Errorf("two losses since then are\n%s", got)
	}
}
