package python_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// target is a server without an agent; it keeps the traceparents that it is sent.
func target(t *testing.T) (url string, parents *[]string) {
	t.Helper()
	parents = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		*parents = append(*parents, r.Header.Get("traceparent"))
	}))
	t.Cleanup(s.Close)
	return s.URL, parents
}

func TestEveryKindOfProcessSendsItsSpans(t *testing.T) {
	dir := agent(t)
	for _, python := range interpreters(t) {
		for _, kind := range []string{"itself", "fork", "spawn child", "fork child", "forkserver child"} {
			t.Run(pythonVersion(t, python)+" "+kind, func(t *testing.T) {
				to := newReceiver(t)
				url, parents := target(t)
				run(t, injected(dir, to.url), python, "testdata/get.py", url, strings.TrimSuffix(kind, " child"))
				spans := to.wait(t, 1)
				if len(spans) != 1 || spans[0].Kind != client || find(spans[0].Attrs, "http.response.status_code") != "200" {
					t.Fatalf("got %+v, want one span of a client", spans)
				}
				// 03: sampled, and the trace's identity is random.
				want := []string{"00-" + spans[0].TraceID + "-" + spans[0].SpanID + "-03"}
				if diff := cmp.Diff(want, *parents); diff != "" {
					t.Errorf("what the server was told (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestACollectorThatIsAwayOrHangsCostsTwoSecondsAtMost(t *testing.T) {
	for name, endpoint := range map[string]string{
		"away":       "http://127.0.0.1:9",
		"hangs":      hanging(t),
		"no address": "http://collector.invalid:4318",
		"nonsense":   "http://[::1:x",
	} {
		for _, kind := range []string{"itself", "fork", "spawn"} {
			t.Run(name+" "+kind, func(t *testing.T) { endsInTime(t, debian, endpoint, kind) })
		}
	}
	for _, python := range releases(t) {
		if python != debian {
			t.Run(pythonVersion(t, python)+" hangs", func(t *testing.T) { endsInTime(t, python, hanging(t), "itself") })
		}
	}
	t.Run("a server", func(t *testing.T) {
		s := serve(t, injected(agent(t), hanging(t)), environment(t, "frameworks"), "-m", "uvicorn", "--port", "PORT", "fastapi_app:app")
		get(t, s, 1, "01")
		if took := s.end(t); took > 3*time.Second {
			t.Errorf("the server took %v to end", took)
		}
	})
}

// endsInTime wants a process to end little later than without an agent.
func endsInTime(t *testing.T, python, endpoint, kind string) {
	t.Helper()
	dir := agent(t)
	url, _ := target(t)
	took := func(env []string) time.Duration {
		start := time.Now()
		run(t, env, python, "testdata/get.py", url, kind)
		return time.Since(start)
	}
	const most, tries = 3 * time.Second, 3
	var more time.Duration
	for range tries { // What the agent costs it costs each time, what a busy machine costs it does not.
		without := took(bare())
		if more = took(injected(dir, endpoint)) - without; more <= most {
			return
		}
	}
	t.Errorf("the process took %v longer than without an agent; want 2 s at its end and what its start needs", more)
}

func TestCeleryLinksTasksToWhoGaveThem(t *testing.T) {
	for _, interpreter := range releases(t) {
		t.Run(pythonVersion(t, interpreter), func(t *testing.T) {
			celeryLinksTasks(t, environmentOf(t, interpreter, "frameworks"))
		})
	}
}

func celeryLinksTasks(t *testing.T, python string) {
	t.Helper()
	to, dir := newReceiver(t), agent(t)
	env := injected(dir, to.url, "BROKER_FOLDER="+t.TempDir())
	worker := start(context.WithoutCancel(t.Context()), t, python, "-m", "celery", "-A", "celery_app", "worker", "--pool", "prefork", "-c", "2", "--loglevel", "ERROR")
	worker.Dir, worker.Env = "testdata/apps", env
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	s := &service{cmd: worker}
	t.Cleanup(func() { s.end(t) })
	const tasks = 5
	run(t, env, python, "testdata/apps/celery_app.py", fmt.Sprint(tasks))
	spans := to.wait(t, 2*tasks)
	producers := map[string]bool{}
	for _, p := range ofKind(spans, producer) {
		producers[p.TraceID+p.SpanID] = true
	}
	consumers := ofKind(spans, consumer)
	if len(producers) != tasks || len(consumers) != tasks {
		t.Errorf("got %d producers and %d consumers, want %d of each:\n%+v", len(producers), len(consumers), tasks, spans)
	}
	for _, c := range consumers {
		if !producers[c.TraceID+c.ParentID] {
			t.Errorf("the parent of %+v is no producer", c)
		}
	}
}
