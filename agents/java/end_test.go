package java_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/agents/agenttest"
)

// pace is slower than an export takes, so that there is a moment with nothing to send.
const pace = 20 * time.Millisecond

func TestWhatAJVMAnswersWhileItEndsIsRecorded(t *testing.T) {
	path := classes(t)
	hooks := map[string]struct {
		args []string
		// least are the requests that must be answered after the signal, for the case to say anything.
		least int
		// mostLost may have no span, all of them the last: nothing comes between the last export and the JVM's end,
		// which takes a while on a busy machine.
		mostLost int
	}{
		"the application drains for two seconds": {[]string{"drain=2000"}, 20, 0},
		"the application has no hook":            {nil, 0, 3},
	}
	for _, j := range releases(t) {
		for name, tc := range hooks {
			t.Run(name+" "+j.name(t), func(t *testing.T) {
				collector := agenttest.NewCollector(t)
				p := j.jvm(t, path, collector.URL, tc.args...)
				for range 3 {
					p.Get(t, "/leaf", "")
				}
				collector.Await(t, 3) // A first export loads its classes.
				answered := make(chan []string)
				stop, ended := context.WithCancel(t.Context())
				go func() { answered <- askOn(stop, p.Port) }()
				if end, _ := p.Signal(t, syscall.SIGTERM); end.Code != 128+int(syscall.SIGTERM) {
					t.Errorf("the JVM ended with %v", end)
				}
				ended()
				traces := <-answered
				if len(traces) < tc.least {
					t.Fatalf("%d requests were answered while the JVM ended, want %d at least", len(traces), tc.least)
				}
				lost := withoutSpan(collector.Spans(t), traces)
				t.Logf("%d requests were answered while the JVM ended, %d without a span", len(traces), len(lost))
				if len(lost) > tc.mostLost || !slices.Equal(lost, traces[len(traces)-len(lost):]) {
					t.Errorf("of %d requests these have no span: %v", len(traces), lost)
				}
			})
		}
	}
}

// askOn asks at a pace, until nobody answers. It returns the traces of what was answered, in order.
func askOn(ctx context.Context, port string) (traces []string) {
	asks := &http.Client{Timeout: 5 * time.Second}
	defer asks.CloseIdleConnections()
	for i := 1; ctx.Err() == nil; i++ {
		trace := fmt.Sprintf("%032x", 1000+i)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/leaf", nil)
		if err != nil {
			return traces
		}
		request.Header.Set("Traceparent", "00-"+trace+"-0000000000000abc-01")
		response, err := asks.Do(request)
		if err != nil {
			return traces
		}
		response.Body.Close()
		traces = append(traces, trace)
		time.Sleep(pace)
	}
	return traces
}

func withoutSpan(spans []agenttest.Span, traces []string) (lost []string) {
	seen := map[string]bool{}
	for _, span := range agenttest.Kind(spans, "Server") {
		seen[span.Trace] = true
	}
	for _, trace := range traces {
		if !seen[trace] {
			lost = append(lost, trace)
		}
	}
	return lost
}
