package spans

import (
	"slices"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
)

// origin is as whom an exchange is reported. What was counted in the kernel is reported as the first
// of those requests was, whose process may have ended or be somebody else's by now.
func (p *Pipeline) origin(x *probe.Exchange) (*Origin, bool) {
	now, ok := p.Origins.Origin(x.PID)
	if x.Tally == nil {
		return now, ok
	}
	was, ok := x.CountAs.(*Origin)
	if now != was {
		x.CountAs = nil
	}
	return was, ok
}

// letCount has requests like one that gives no span counted in the kernel as long as they are not
// recorded. The kubelet's probes, which are no traffic, differ from others in what the kernel does
// not compare; who has an agent does by what others report.
func (p *Pipeline) letCount(r *result, x *probe.Exchange) {
	if x.Tally != nil || r.why == "" || r.why == loss.Unparsable || slices.Contains(r.origin.Filter.Probes, p.span.Path.Text) {
		return
	}
	x.CountAs = r.origin
}
