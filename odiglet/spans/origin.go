package spans

import (
	"reflect"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/answers"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/routes"
)

// Origin is as whom the requests of one process are reported. It is never
// changed once made: a new decision makes a new Origin.
type Origin struct {
	Service identity.Service
	// Resource of the process's spans; only read.
	Resource pcommon.Resource
	Filter   Filter
	// Routes are the user's; nil if there are none.
	Routes *routes.Patterns
	// QueryKeys are the keys of queries whose values are shown.
	QueryKeys []string
	// Traces and Metrics say which signals are wanted.
	Traces, Metrics bool
	// Sampling decides for traces that the process begins.
	Sampling probe.Sampling
	// Untouched says that nothing is written into what the process sends.
	Untouched bool
	// Agent says that a language agent may report in the odiglet's stead.
	Agent bool
	// Answers is where what the process answers is counted, whoever reports it.
	Answers answers.Desk
	// Handover says who reports the requests of the process; nil: the odiglet. It is no
	// part of what Equal compares.
	Handover *handover.Process
}

// Equal says whether both report alike.
func (o *Origin) Equal(p Origin) bool {
	return o.Traces == p.Traces && o.Metrics == p.Metrics && o.Agent == p.Agent && o.Sampling == p.Sampling && o.Untouched == p.Untouched && o.Answers == p.Answers && o.Routes.Equal(p.Routes) &&
		slices.Equal(o.QueryKeys, p.QueryKeys) && reflect.DeepEqual(o.Filter, p.Filter) && reflect.DeepEqual(o.Service, p.Service) &&
		o.Resource.Attributes().Equal(p.Resource.Attributes())
}

// leavesOut says why nothing of a request is recorded; empty if it is.
func (o *Origin) leavesOut(x *probe.Exchange) loss.Name {
	switch {
	case !o.Traces:
		return loss.TracesOff
	case x.TraceFlags&probe.Sampled == 0:
		return loss.NotSampled
	}
	return ""
}

// answered counts what the process answered. Who was not answered may have gone by itself.
func (o *Origin) answered(x *probe.Exchange) {
	const serverError = 500
	if x.Kind == probe.Server && x.StatusCode != 0 {
		o.Answers.Count(x.StatusCode >= serverError, x.Requests(), x.End)
	}
}

// Origins finds the origin of a process that is, or just was, a target.
type Origins interface {
	Origin(pid uint32) (*Origin, bool)
}
