package spans

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/answers"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
)

// TestAnswersAreCountedWhoeverReports has what a process answers itself, while its agent reports all of it.
func TestAnswersAreCountedWhoeverReports(t *testing.T) {
	o, book := someOrigin(), new(answers.Book)
	o.Filter.Ignored, o.Filter.Probes = []string{"/quiet"}, []string{"/healthz"}
	o.Answers = answers.Desk{Book: book, HasAgent: true}
	o.Agent, o.Handover = true, handover.New(map[string]string{"ODI_AGENT": "java@1"}, new(handover.Room))
	o.Handover.Marked(odiv1.AgentAlive)
	o.Handover.Vouch()
	p := New(Options{Origins: origins{1: o}, Recorder: red.NewRecorder(time.Now()), Books: books.New(), Routes: routes.NewBook(), Protocols: rooms(), Sink: &keeper{}})
	answered := func(path string, status uint16, change func(*probe.Exchange)) {
		x := request(1, path)
		x.StatusCode = status
		if change != nil {
			change(&x)
		}
		p.Handle(&x)
	}
	answered("/1", 200, nil)
	answered("/2", 404, nil)
	answered("/3", 500, nil)
	answered("/quiet", 503, func(x *probe.Exchange) { x.TraceFlags = 0 })
	answered("/asked", 500, func(x *probe.Exchange) { x.Kind = probe.Client })
	answered("/gone", 0, nil)
	answered("/healthz", 503, func(x *probe.Exchange) {
		x.RequestHead = []byte("GET /healthz HTTP/1.1\r\nUser-Agent: kube-probe/1.36\r\n\r\n")
	})
	end := request(1, "/").End
	want := []answers.Slice{{At: end.Truncate(answers.Length), Agent: 4, AgentFailed: 2}}
	if diff := cmp.Diff(want, book.Over(end.Add(time.Minute/2))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
