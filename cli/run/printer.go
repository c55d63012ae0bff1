package run

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

const (
	// quiet is how long a trace must be silent to be taken as complete. Spans
	// are read from the kernel at least every 50 ms.
	quiet = 300 * time.Millisecond
	// patience is how long a trace is held back because a span's parent is a
	// request of the same process that has not ended yet.
	patience = 10 * time.Second
	// maxTraces bounds the traces that wait; the oldest is printed as it is.
	maxTraces = 2000
	// maxLines bounds one trace that waits.
	maxLines = 1000
)

// waiting is a trace that may not be complete.
type waiting struct {
	id          pcommon.TraceID
	lines       []line
	first, last time.Time // when its spans arrived
}

// printer is a sink that prints one tree per trace.
type printer struct {
	out   io.Writer
	paint paint
	books *books.Books
	now   func() time.Time

	mu     sync.Mutex
	traces map[pcommon.TraceID]*waiting
	failed error
	stop   chan struct{}
	done   sync.WaitGroup
}

// newPrinter returns a printer that looks for complete traces until Close.
func newPrinter(out io.Writer, p paint, spans *books.Books) *printer {
	pr := &printer{
		out: out, paint: p, books: spans, now: time.Now,
		traces: make(map[pcommon.TraceID]*waiting),
		stop:   make(chan struct{}),
	}
	pr.done.Go(pr.watch)
	return pr
}

func (p *printer) watch() {
	tick := time.NewTicker(quiet / 4)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.printComplete()
		case <-p.stop:
			return
		}
	}
}

// Send sorts the spans of a batch into their traces; no other signal is for reading along.
// What is printed later may be parts of the body, so that its memory is not used again.
func (p *printer) Send(b signal.Batch) {
	if b.Signal != signal.Traces {
		return
	}
	td, err := signal.ReadTraces(b)
	if err != nil {
		p.books.Drop(loss.Rejected, b.Items)
		return
	}
	b.Memory.Hold()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for _, rs := range td.ResourceSpans().All() {
		service := text(rs.Resource().Attributes(), telemetry.ServiceName)
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				p.add(s.TraceID(), newLine(service, s), now)
			}
		}
	}
}

func (p *printer) add(id pcommon.TraceID, l line, now time.Time) {
	w, ok := p.traces[id]
	if !ok {
		if len(p.traces) >= maxTraces {
			p.print(slices.MinFunc(slices.Collect(maps.Values(p.traces)), byArrival))
		}
		w = &waiting{id: id, first: now}
		p.traces[id] = w
	}
	w.lines = append(w.lines, l)
	w.last = now
	if len(w.lines) >= maxLines {
		p.print(w)
	}
}

func (p *printer) printComplete() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printAll(func(w *waiting) bool { return w.complete(p.now()) })
}

// printAll prints the traces that are chosen, in the order in which they began.
func (p *printer) printAll(choose func(*waiting) bool) {
	var chosen []*waiting
	for _, w := range p.traces {
		if choose(w) {
			chosen = append(chosen, w)
		}
	}
	slices.SortFunc(chosen, byArrival)
	for _, w := range chosen {
		p.print(w)
	}
}

// byArrival puts traces that came in one batch in the order of their requests.
func byArrival(a, b *waiting) int {
	return cmp.Or(a.first.Compare(b.first), a.began().Compare(b.began()), slices.Compare(a.id[:], b.id[:]))
}

func (w *waiting) began() time.Time {
	return slices.MinFunc(w.lines, func(a, b line) int { return a.start.Compare(b.start) }).start
}

// complete says whether nothing more is to be expected soon.
func (w *waiting) complete(now time.Time) bool {
	silence := now.Sub(w.last)
	if silence < quiet {
		return false
	}
	return silence >= patience || !w.parentOpen()
}

// parentOpen says whether a span was linked inside its process to a request
// that has not arrived: it has not ended.
func (w *waiting) parentOpen() bool {
	seen := make(map[pcommon.SpanID]bool, len(w.lines))
	for _, l := range w.lines {
		seen[l.id] = true
	}
	for _, l := range w.lines {
		inside := l.link != "" && l.link != linkHeader
		if inside && !l.parent.IsEmpty() && !seen[l.parent] {
			return true
		}
	}
	return false
}

// linkHeader is the link method of a parent in another process.
const linkHeader = "header"

func (p *printer) print(w *waiting) {
	delete(p.traces, w.id)
	if p.failed == nil {
		if _, err := io.WriteString(p.out, renderTrace(w.id, w.lines, p.paint)+"\n"); err != nil {
			p.failed = fmt.Errorf("printing traces: %w", err)
		}
	}
	if p.failed != nil {
		p.books.Drop(loss.Rejected, len(w.lines))
		return
	}
	p.books.Sent(len(w.lines))
}

// Close prints what still waits.
func (p *printer) Close(context.Context) error {
	close(p.stop)
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printAll(func(*waiting) bool { return true })
	return p.failed
}
