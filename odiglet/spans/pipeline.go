package spans

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/bpf/http1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/red"
)

// batchSpans is large enough that its encoding is cheap per span, and small
// beside the largest message of 4 MiB that receivers take by default.
const batchSpans = 1000

// Options are what a pipeline needs.
type Options struct {
	Origins  Origins
	Recorder *red.Recorder
	Books    *books.Books
	Sink     export.Sink
	// LinkMethods keeps odi.link.method on spans.
	LinkMethods bool
	// Delay is how long a span waits for others at most.
	Delay time.Duration
}

// Pipeline turns exchanges into batches of spans.
type Pipeline struct {
	Options

	scratch ptrace.Span // used by Handle only, empty between calls

	mu    sync.Mutex
	batch ptrace.Traces
	size  int
	spans map[*Origin]ptrace.SpanSlice // of the batch
}

// New returns an empty pipeline.
func New(o Options) *Pipeline {
	p := &Pipeline{Options: o, scratch: ptrace.NewSpan()}
	p.empty()
	return p
}

// Handle takes one exchange; it is the engine's handler, never called twice at a time.
func (p *Pipeline) Handle(x probe.Exchange) {
	p.Books.Seen(1)
	origin, ok := p.Origins.Origin(x.PID)
	if !ok {
		p.Books.Drop(books.ReasonDetached, 1)
		return
	}
	span := p.scratch
	http1.Decode(x, span)
	if why := p.judge(origin, x, span); why != "" {
		p.Books.Drop(why, 1)
		ptrace.NewSpan().MoveTo(span)
		return
	}
	p.link(x, span)
	p.add(origin, span)
}

// judge says why the request gives no span; empty if it does. What it measures
// does not depend on that, but for the kubelet's probes: they are no traffic.
func (p *Pipeline) judge(o *Origin, x probe.Exchange, span ptrace.Span) books.Reason {
	if span.Name() == "" {
		return books.ReasonUnparsable
	}
	attrs := span.Attributes()
	path := get(attrs, telemetry.URLPath)
	isServer := x.Kind == probe.Server
	if isServer && o.Filter.isProbe(path, get(attrs, telemetry.UserAgentOriginal)) {
		return books.ReasonHealthCheck
	}
	if o.Metrics {
		p.Recorder.Record(o.Service.InstanceID, measured(x, attrs), x.End.Sub(x.Start))
	}
	if isServer && o.Filter.ignores(path) {
		return books.ReasonIgnored
	}
	if !o.Traces {
		return books.ReasonSignalOff
	}
	return ""
}

func (p *Pipeline) link(x probe.Exchange, span ptrace.Span) {
	if method := x.Link.String(); p.LinkMethods && method != "" {
		span.Attributes().PutStr(telemetry.LinkMethod, method)
		return
	}
	span.Attributes().Remove(telemetry.LinkMethod)
}

func (p *Pipeline) add(o *Origin, span ptrace.Span) {
	p.mu.Lock()
	to, ok := p.spans[o]
	if !ok {
		to = p.newSpans(o)
		p.spans[o] = to
	}
	span.MoveTo(to.AppendEmpty())
	p.size++
	full := p.size >= batchSpans
	p.mu.Unlock()
	if full {
		p.Flush()
	}
}

func (p *Pipeline) newSpans(o *Origin) ptrace.SpanSlice {
	rs := p.batch.ResourceSpans().AppendEmpty()
	o.Resource.CopyTo(rs.Resource())
	rs.SetSchemaUrl(telemetry.SchemaURL)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(http1.ScopeName)
	ss.Scope().SetVersion(version.Version)
	ss.SetSchemaUrl(telemetry.SchemaURL)
	return ss.Spans()
}

// empty starts a batch; p.mu is held, or nobody knows p yet.
func (p *Pipeline) empty() {
	p.batch = ptrace.NewTraces()
	p.size = 0
	p.spans = make(map[*Origin]ptrace.SpanSlice)
}

// Flush hands the batch to the exporter.
func (p *Pipeline) Flush() {
	p.mu.Lock()
	batch, size := p.batch, p.size
	if size > 0 {
		p.empty()
	}
	p.mu.Unlock()
	if size > 0 {
		p.Sink.Traces(batch)
	}
}

// Run flushes at least every Delay until ctx ends, and collects the metrics
// every interval. What comes after is the caller's to flush.
func (p *Pipeline) Run(ctx context.Context, interval time.Duration) {
	flush, collect := time.NewTicker(p.Delay), time.NewTicker(interval)
	defer flush.Stop()
	defer collect.Stop()
	for {
		select {
		case <-flush.C:
			p.Flush()
		case now := <-collect.C:
			p.Collect(now)
		case <-ctx.Done():
			return
		}
	}
}

// Collect hands the metrics of all services to the exporter.
func (p *Pipeline) Collect(now time.Time) {
	if md := p.Recorder.Collect(now); md.DataPointCount() > 0 {
		p.Sink.Metrics(md)
	}
}

// measured picks the attributes of the metrics out of a span's.
func measured(x probe.Exchange, attrs pcommon.Map) red.Request {
	r := red.Request{
		Method:    get(attrs, telemetry.HTTPRequestMethod),
		Scheme:    get(attrs, telemetry.URLScheme),
		Route:     get(attrs, telemetry.HTTPRoute),
		ErrorType: get(attrs, telemetry.ErrorType),
		Status:    int(x.StatusCode),
	}
	if x.Kind == probe.Client {
		r.Kind = red.Client
		r.Server = get(attrs, telemetry.ServerAddress)
		if port, ok := attrs.Get(telemetry.ServerPort); ok {
			r.Port = int(port.Int())
		}
	}
	return r
}

func get(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.Str()
	}
	return ""
}
