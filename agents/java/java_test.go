// Package java_test runs the Java agent in real applications.
package java_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/agents/agenttest"
)

// slack is how much later than without the agent a JVM may end.
const slack = 2 * time.Second

// runtimeMetrics are those of the JVM, as the semantic conventions have them.
var runtimeMetrics = map[string]agenttest.Metric{
	"jvm.memory.used":               {Kind: "Sum", Unit: "By", Keys: "jvm.memory.pool.name,jvm.memory.type"},
	"jvm.memory.committed":          {Kind: "Sum", Unit: "By", Keys: "jvm.memory.pool.name,jvm.memory.type"},
	"jvm.memory.limit":              {Kind: "Sum", Unit: "By", Keys: "jvm.memory.pool.name,jvm.memory.type"},
	"jvm.memory.used_after_last_gc": {Kind: "Sum", Unit: "By", Keys: "jvm.memory.pool.name,jvm.memory.type"},
	"jvm.gc.duration":               {Kind: "Histogram", Unit: "s", Keys: "jvm.gc.action,jvm.gc.name"},
	"jvm.thread.count":              {Kind: "Sum", Unit: "{thread}", Keys: "jvm.thread.daemon,jvm.thread.state"},
	"jvm.class.count":               {Kind: "Sum", Unit: "{class}"},
	"jvm.class.loaded":              {Kind: "Sum", Unit: "{class}"},
	"jvm.cpu.time":                  {Kind: "Sum", Unit: "s"},
	"jvm.cpu.count":                 {Kind: "Sum", Unit: "{cpu}"},
	"jvm.cpu.recent_utilization":    {Kind: "Gauge", Unit: "1"},
}

func TestEveryRequestIsOneServerSpanWithTheRightParents(t *testing.T) {
	path := classes(t)
	for _, j := range architectures(t) {
		t.Run(j.name(t), func(t *testing.T) {
			collector := agenttest.NewCollector(t)
			p := j.jvm(t, path, collector.URL)
			const requests = 3
			for i := range requests {
				if got := p.Get(t, "/ask?"+p.Port, fmt.Sprintf("00-%032x-%016x-01", i+1, 0xabc)); got != "200 leaf" {
					t.Fatalf("the application answered %q", got)
				}
			}
			p.Get(t, "/ask?"+p.Port, fmt.Sprintf("00-%032x-%016x-00", 99, 0xabc)) // Not sampled.
			spans := collector.Await(t, 3*requests)
			if state := agenttest.State(t, p.Pid()); state != "alive" {
				t.Errorf("the process says %q", state)
			}
			checkTraces(t, spans, requests)
			p.Get(t, "/gc", fmt.Sprintf("00-%032x-%016x-00", 98, 0xabc))
			collector.WantMetrics(t, runtimeMetrics)
			if p.Stdout() != "" {
				t.Errorf("the application printed %q", p.Stdout())
			}
		})
	}
}

// checkTraces wants per request a server span, a client below it and a server below that one.
func checkTraces(t *testing.T, spans []agenttest.Span, requests int) {
	t.Helper()
	if len(spans) != 3*requests {
		t.Errorf("%d spans, want %d:\n%v", len(spans), 3*requests, spans)
	}
	for i := range requests {
		byID := map[string]agenttest.Span{}
		for _, span := range spans {
			if span.Trace == fmt.Sprintf("%032x", i+1) {
				byID[span.ID] = span
			}
		}
		for _, span := range byID {
			above := byID[span.Parent]
			route := span.Attributes["http.route"]
			ok := span.Kind == "Server" && above.Kind == "" && span.Parent == fmt.Sprintf("%016x", 0xabc) && route == "/ask" ||
				span.Kind == "Client" && above.Kind == "Server" || span.Kind == "Server" && above.Kind == "Client" && route == "/leaf"
			if !ok {
				t.Errorf("trace %d: %v lies below %v", i, span, above)
			}
			for key, value := range span.Resource {
				if strings.HasPrefix(key, "process.command") || fmt.Sprint(value) == "secret" {
					t.Errorf("the resource has %s: %v", key, value)
				}
			}
		}
	}
}

func TestAJVMEndsAsItWouldWithoutTheAgent(t *testing.T) {
	path := classes(t)
	ends := map[string]struct {
		args   []string
		signal syscall.Signal
	}{
		"a signal": {nil, syscall.SIGTERM}, "an exit": {[]string{"exit"}, 0},
		"a signal to one that drains": {[]string{"drain=1500"}, syscall.SIGTERM},
	}
	for _, j := range releases(t) {
		for name, tc := range ends {
			t.Run(name+" "+j.name(t), func(t *testing.T) {
				end := func(endpoint string) (agenttest.End, time.Duration) {
					p := j.jvm(t, path, endpoint, tc.args...)
					p.Get(t, "/leaf", "")
					time.Sleep(2 * time.Second) // A first export loads its classes, and may take longer than an end may.
					p.Get(t, "/leaf", "")
					if tc.signal != 0 {
						return p.Signal(t, tc.signal)
					}
					from := time.Now()
					return p.Await(t), time.Since(from)
				}
				wantEnd, without := end("")
				collector := agenttest.NewCollector(t)
				for where, endpoint := range map[string]string{"alive": collector.URL, "hanging": agenttest.Hanging(t), "absent": agenttest.Absent(t)} {
					got, took := end(endpoint)
					for tries := 2; took > without+slack && tries > 0 && where != "alive"; tries-- { // A busy machine is late once.
						_, took = end(endpoint)
					}
					if got != wantEnd || took > without+slack {
						t.Errorf("with a collector that is %s it ended with %v after %v, without the agent with %v after %v", where, got, took, wantEnd, without)
					}
				}
				if got := len(collector.Spans(t)); got != 2 {
					t.Errorf("%d spans came, want 2", got)
				}
			})
		}
	}
}

func TestLogsCarryTheTraceWhereTheyAreAskedFor(t *testing.T) {
	path := classes(t)
	for name, tc := range map[string]struct {
		env  []string
		want int
	}{
		"asked for":     {[]string{"OTEL_LOGS_EXPORTER=otlp"}, 2},
		"not asked for": {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			collector := agenttest.NewCollector(t)
			cmd := packaged(t).start(t, "-cp", path, "App")
			cmd.Env = append(injected(t, collector.URL), tc.env...)
			p := agenttest.Start(t, cmd).Listening(t)
			p.Get(t, "/log", fmt.Sprintf("00-%032x-%016x-01", 1, 0xabc))
			spans := collector.Await(t, 1) // And an export, which loads its classes.
			p.Get(t, "/log", fmt.Sprintf("00-%032x-%016x-01", 1, 0xabc))
			p.Signal(t, syscall.SIGTERM)
			if len(spans) != 1 {
				t.Fatalf("%d spans, want 1", len(spans))
			}
			logs := collector.Logs()
			if len(logs) != tc.want {
				t.Errorf("got the logs %v, want %d", logs, tc.want)
			}
			want := agenttest.Log{Text: "out of tea", Severity: "Warn", Trace: spans[0].Trace, Span: spans[0].ID}
			if len(logs) > 0 && logs[0] != want {
				t.Errorf("got %+v, want %+v", logs[0], want)
			}
		})
	}
}

func TestAnApplicationKeepsItsOwnSDK(t *testing.T) {
	path := classes(t)
	jar := filepath.Join(t.TempDir(), "opentelemetry-sdk-trace-1.50.0.jar")
	if err := os.WriteFile(jar, nil, 0o644); err != nil { // Its name is what tells.
		t.Fatal(err)
	}
	collector := agenttest.NewCollector(t)
	p := packaged(t).jvm(t, path+":"+jar, collector.URL)
	p.Get(t, "/leaf", "")
	if got := collector.Await(t, 0); len(got) != 0 {
		t.Errorf("got %v, want nothing beside the application's own", got)
	}
	if state := agenttest.State(t, p.Pid()); state != "own-sdk" {
		t.Errorf("the process says %q", state)
	}
}

func TestAUserWhoSaysNoGetsNoAgent(t *testing.T) {
	path := classes(t)
	cmd := packaged(t).start(t, "-cp", path, "App")
	collector := agenttest.NewCollector(t)
	cmd.Env = []string{"OTEL_SDK_DISABLED=true", "OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL,
		"JAVA_TOOL_OPTIONS=-javaagent:" + agenttest.Tree(t, "agents/java/build.sh") + "/opentelemetry-javaagent.jar"}
	p := agenttest.Start(t, cmd).Listening(t)
	if got := p.Get(t, "/leaf", ""); got != "leaf" {
		t.Errorf("the application answered %q", got)
	}
	if state := agenttest.State(t, p.Pid()); state != "unsupported" {
		t.Errorf("the process says %q\n%s", state, p.Stderr())
	}
	if got := collector.Await(t, 0); len(got) != 0 {
		t.Errorf("got %v, want nothing", got)
	}
}

func TestAStartThatFailsLeavesTheApplicationAlone(t *testing.T) {
	path := classes(t)
	cmd := packaged(t).start(t, "-cp", path, "App")
	cmd.Env = []string{"OTEL_TRACES_EXPORTER=nonsense", // The SDK refuses to start.
		"JAVA_TOOL_OPTIONS=-javaagent:" + agenttest.Tree(t, "agents/java/build.sh") + "/opentelemetry-javaagent.jar"}
	p := agenttest.Start(t, cmd).Listening(t)
	if got := p.Get(t, "/leaf", ""); got != "leaf" {
		t.Errorf("the application answered %q", got)
	}
	for deadline := time.Now().Add(15 * time.Second); agenttest.State(t, p.Pid()) == "" && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	if state := agenttest.State(t, p.Pid()); state != "failed" {
		t.Errorf("the process says %q\n%s", state, p.Stderr())
	}
}
