package spans

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
)

// verbs is a protocol of one word, which has no paths.
func verbs() probe.Protocol {
	duration := &probe.Instrument{Name: "verbs.duration", Description: "Duration of verbs."}
	return probe.Protocol{Name: "verbs", Code: 77, Decode: func(x *probe.Exchange, s *probe.Span) {
		s.Name, s.Instrument = string(x.RequestHead), duration
		s.LabelText("verb", s.Name)
		s.PutNumber("size", int64(len(x.RequestHead)))
	}}
}

// TestAnotherProtocolIsAValue: a room that the pipeline knows nothing of gives spans
// below a scope of its own and series of its own instrument; one that is not in the
// list is counted.
func TestAnotherProtocolIsAValue(t *testing.T) {
	origin, accounts, recorder, sink := someOrigin(), books.New(), red.NewRecorder(time.Now()), &keeper{}
	origin.Service.InstanceID = "a"
	recorder.Add(origin.Service.Key(), origin.Resource)
	p := New(Options{
		Origins: origins{1: origin}, Recorder: recorder, Books: accounts, Routes: routes.NewBook(), Sink: sink,
		Protocols: append(rooms(), verbs()),
	})
	asked := func(code probe.Code, head string) probe.Exchange {
		x := request(1, "/")
		x.Protocol, x.RequestHead = code, []byte(head)
		return x
	}
	for _, x := range []probe.Exchange{request(1, "/a"), asked(77, "PING"), request(1, "/a"), asked(77, "PING"), asked(77, ""), asked(78, "PING")} {
		p.Handle(&x)
	}
	p.Flush()

	var spans []string
	for _, rs := range sink.read(t).ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				spans = append(spans, ss.Scope().Name()+" "+s.Name())
			}
		}
	}
	if diff := cmp.Diff([]string{"odi/http1 GET /a", "odi/http1 GET /a", "odi/verbs PING", "odi/verbs PING"}, spans); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if got := accounts.Balance(nil).Dropped; got[loss.Unparsable] != 2 || len(got) != 1 {
		t.Errorf("dropped %v, want 2 %s", got, loss.Unparsable)
	}
	var series []string
	for _, m := range recorder.Collect(time.Now()).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		for _, point := range m.Histogram().DataPoints().All() {
			series = append(series, fmt.Sprint(m.Name(), " ", point.Count(), " ", point.Attributes().Len()))
		}
	}
	slices.Sort(series)
	if diff := cmp.Diff([]string{"http.server.request.body.size 2 4", "http.server.request.duration 2 4", "http.server.response.body.size 2 4", "verbs.duration 2 1"}, series); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}
