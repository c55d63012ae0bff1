package spans

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/graph"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/signal"
)

const (
	// batchSpans is large enough that what a batch costs is little per span.
	batchSpans = 1000
	// batchBytes is what a thousand spans with long addresses take, resources
	// included, and below the largest message of 4 MiB that receivers take by default.
	batchBytes = 2 << 20
)

// Options are what a pipeline needs.
type Options struct {
	Origins  Origins
	Recorder *red.Recorder
	// Graph counts who asks whom; nil: nobody does.
	Graph  *graph.Recorder
	Books  *books.Books
	Routes *routes.Book
	Sink   export.Sink
	// Protocols are the rooms that exchanges are decoded by.
	Protocols []probe.Protocol
	// LinkMethods keeps odi.link.method on spans.
	LinkMethods bool
	// Delay is how long a span waits for others at most.
	Delay time.Duration
}

// Pipeline turns exchanges into batches of spans.
type Pipeline struct {
	Options
	rooms [1 << 8]*room // by code

	// Used by Handle only.
	span    probe.Span
	asked   routes.Query
	encoded []byte

	begun chan struct{} // filled by the first span of a batch

	mu     sync.Mutex
	spans  []byte   // of the batch, encoded, as they came
	size   int      // how many these are
	around int      // bytes of the groups without their spans
	groups []*group // in the order of their first spans
	of     map[groupKey]*group
	bodies signal.Pool
}

// room is a protocol with the scope of its spans.
type room struct {
	probe.Protocol
	scope []byte
}

// New returns an empty pipeline.
func New(o Options) *Pipeline {
	p := &Pipeline{Options: o, begun: make(chan struct{}, 1), of: make(map[groupKey]*group)}
	for _, protocol := range o.Protocols {
		p.rooms[protocol.Code] = &room{Protocol: protocol, scope: encodeScope(protocol.Name)}
	}
	return p
}

// Handle takes one exchange; it is the engine's handler, never called twice at a time.
func (p *Pipeline) Handle(x *probe.Exchange) {
	p.Books.Seen(int(x.Requests()))
	origin, ok := p.origin(x)
	if !ok {
		p.Books.DropOf("pid "+strconv.FormatUint(uint64(x.PID), 10), loss.Detached, x.Requests())
		return
	}
	p.span.Reset()
	now := result{origin: origin, room: p.rooms[x.Protocol], requests: x.Requests()}
	if x.QueryKeys = origin.QueryKeys; now.room != nil {
		now.room.Decode(x, &p.span)
	}
	if now.why = p.judge(&now, x); origin.Handover != nil {
		p.settle(&now, x)
		return
	}
	p.letCount(&now, x)
	if now.why == "" {
		p.encode(x)
	}
	p.report(&now, p.encoded)
}

// encode writes the span, whole, into p.encoded.
func (p *Pipeline) encode(x *probe.Exchange) {
	if method := x.Link.String(); p.LinkMethods && method != "" {
		p.span.PutText(telemetry.LinkMethod, method)
	}
	p.encoded = appendSpan(p.encoded[:0], x, &p.span)
}

// judge says why the request gives no span; empty if it does. What it measures
// does not depend on that, but for the kubelet's probes: they are no traffic.
func (p *Pipeline) judge(r *result, x *probe.Exchange) loss.Name {
	if p.span.Name == "" {
		return loss.Unparsable
	}
	o, path := r.origin, p.span.Path.Text
	isServer := x.Kind == probe.Server
	if isServer && o.Filter.isProbe(path, p.span.UserAgent) {
		return loss.HealthCheck
	}
	if o.Handover != nil && isExport(x, &p.span) {
		return loss.AgentReported
	}
	o.answered(x)
	p.name(o, x)
	p.connect(r, x)
	r.counts = o.Metrics && p.span.Instrument != nil
	r.measured = red.Measurement{
		Instrument: p.span.Instrument, Labels: p.span.Attributes, Took: x.End.Sub(x.Start),
		Request: x.RequestBodySize, Response: x.ResponseBodySize, Tally: x.Tally,
	}
	if p.span.Measured {
		return loss.OnlyMeasured
	}
	if isServer && o.Filter.ignores(path) {
		return loss.IgnoredPath
	}
	why := o.leavesOut(x)
	if why == "" {
		r.measured.Span = red.SpanContext{Trace: x.TraceID, Span: x.SpanID, End: x.End}
	}
	return why
}

// add puts an encoded span into the batch. One that the batch has no room for
// begins the next: its resource may be large.
func (p *Pipeline) add(of groupKey, span []byte) error {
	p.mu.Lock()
	g, err := p.groupOf(of)
	if err != nil {
		p.mu.Unlock()
		return err
	}
	var before signal.Batch
	if p.size > 0 && p.encodedSize()+g.missing()+len(span) > batchBytes {
		before = p.take()
	}
	if len(g.parts) == 0 {
		p.of[of] = g
		p.groups = append(p.groups, g)
		p.around += g.missing()
	}
	from := len(p.spans)
	p.spans = appendBytes(p.spans, tagSpans, span)
	g.put(from, len(p.spans))
	p.size++
	first := p.size == 1
	full := p.size >= batchSpans || p.encodedSize() >= batchBytes
	p.mu.Unlock()
	p.hand(before)
	if first {
		select {
		case p.begun <- struct{}{}:
		default: // told already
		}
	}
	if full {
		p.Flush()
	}
	return nil
}

// groupOf is the group of some spans, in the batch or made for it; p.mu is held.
func (p *Pipeline) groupOf(of groupKey) (*group, error) {
	if g, ok := p.of[of]; ok {
		return g, nil
	}
	resource, err := encodeResource(of.origin.Resource)
	if err != nil {
		return nil, err
	}
	party := &of.origin.Service.Party // what a process says of itself does not count
	return &group{owner: signal.Owner{Namespace: party.Namespace, Name: party.Name}, scope: of.room.scope, resource: resource}, nil
}

// encodedSize is what the batch takes, and a little more; p.mu is held.
func (p *Pipeline) encodedSize() int { return p.around + len(p.spans) }

// Flush hands the batch to the exporter.
func (p *Pipeline) Flush() {
	p.mu.Lock()
	batch := p.take()
	p.mu.Unlock()
	p.hand(batch)
}

func (p *Pipeline) hand(batch signal.Batch) {
	if batch.Items == 0 {
		return
	}
	p.Sink.Send(batch)
	batch.Memory.Release()
}

// take ends the batch and starts the next; p.mu is held.
func (p *Pipeline) take() signal.Batch {
	if p.size == 0 {
		return signal.Batch{}
	}
	room := 0
	for _, g := range p.groups {
		room += g.encodedSize()
	}
	batch := signal.Batch{Signal: signal.Traces, Items: p.size, Memory: p.bodies.Get(room), Parts: make([]signal.Part, 0, len(p.groups))}
	body := batch.Memory.Empty()
	for _, g := range p.groups {
		from := len(body)
		body = g.append(body, p.spans)
		batch.Parts = append(batch.Parts, signal.Part{Owner: g.owner, Bytes: len(body) - from, Items: g.spans})
	}
	batch.Body = body
	p.spans, p.size, p.around = p.spans[:0], 0, 0
	for _, g := range p.groups {
		g.parts, g.size, g.spans = nil, 0, 0
	}
	clear(p.groups)
	p.groups = p.groups[:0]
	clear(p.of)
	return batch
}

// Run flushes each batch after Delay until ctx ends, and collects the metrics
// every interval; with nothing to do it sleeps. What comes after is the caller's
// to flush.
func (p *Pipeline) Run(ctx context.Context, interval time.Duration) {
	flush, collect := time.NewTimer(p.Delay), time.NewTicker(interval)
	defer flush.Stop()
	defer collect.Stop()
	for {
		select {
		case <-p.begun:
			flush.Reset(p.Delay)
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
	for _, b := range signal.OfMetrics(p.Recorder.Collect(now)) {
		p.Sink.Send(b)
	}
}
