package spans

import (
	"slices"
	"strings"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/red"
)

// result is what is to be reported of one request.
type result struct {
	origin   *Origin
	room     *room  // nil: nobody knows the protocol
	requests uint64 // that it is of
	// why it gives no span; empty if it does.
	why loss.Name
	// counts says that it is measured.
	counts   bool
	measured red.Measurement
}

// report counts a request and puts its span, unless there is none, into the batch.
func (p *Pipeline) report(r *result, span []byte) {
	if r.counts {
		p.Recorder.Record(r.origin.Service.Key(), r.measured)
	}
	if r.why != "" {
		p.Books.DropOf(r.origin.Service.Name, r.why, r.requests)
		return
	}
	if err := p.add(groupKey{r.origin, r.room}, span); err != nil {
		p.Books.Drop(loss.Rejected, 1) // a defect of ours; no request causes it
	}
}

// leave counts a request that the agent reports: its metrics as well as its span.
func (p *Pipeline) leave(r *result) {
	why := r.why
	if why == "" {
		why = loss.AgentReported
	}
	p.Books.DropOf(r.origin.Service.Name, why, r.requests)
}

// settle asks who reports a request of a process that was started with an agent.
func (p *Pipeline) settle(r *result, x *probe.Exchange) {
	if !r.counts && r.why != "" {
		p.leave(r) // nothing depends on who reports
		return
	}
	served := x.Kind == probe.Server && r.why == "" // and so sampled
	switch now := time.Now(); r.origin.Handover.Judge(served, now) {
	case handover.Leave:
		p.leave(r)
	case handover.Hold:
		r.origin.Handover.Take(p.keep(r, x), now)
	case handover.Report:
		if r.why == "" {
			p.encode(x)
		}
		p.report(r, p.encoded)
	}
}

// kept is a request that waits; it holds nothing of the engine's memory.
type kept struct {
	pipeline *Pipeline
	result   result
	span     []byte
}

func (p *Pipeline) keep(r *result, x *probe.Exchange) *kept {
	k := &kept{pipeline: p, result: *r}
	k.result.measured = r.measured.Clone()
	if r.why == "" {
		p.encode(x)
		k.span = slices.Clone(p.encoded)
	}
	return k
}

// Report implements handover.Request.
func (k *kept) Report() { k.pipeline.report(&k.result, k.span) }

// Leave implements handover.Request.
func (k *kept) Leave() { k.pipeline.leave(&k.result) }

// portOTLP is where agents send to. By gRPC they call one of servicesOTLP, on any port.
const (
	portOTLP     = 4318
	servicesOTLP = "/opentelemetry.proto.collector."
)

// isExport says that an agent sent what it had: no traffic of the application's.
func isExport(x *probe.Exchange, span *probe.Span) bool {
	if x.Kind == probe.Client && strings.HasPrefix(span.Path.Text, servicesOTLP) {
		return true
	}
	if x.Kind != probe.Client || span.Port != portOTLP {
		return false
	}
	signal, ok := strings.CutPrefix(span.Path.Text, "/v1/")
	return ok && (signal == "traces" || signal == "metrics" || signal == "logs")
}
