// Package java_test runs the Java agent in real applications.
package java_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/agents/agenttest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

var wide = flag.Bool("wide", false, "run with every JDK below /usr/lib/jvm, and with those of -jdks")

var jdks = flag.String("jdks", "", "Java homes to run with, too, with commas")

// slack is how much later than without the agent a JVM may end.
const slack = 2 * time.Second

// homes are the Java homes to run with; the short run takes the packaged one.
func homes(t *testing.T) []string {
	t.Helper()
	if !*wide {
		real, err := filepath.EvalSymlinks(program.Need(t, "javac"))
		if err != nil {
			t.Fatal(err)
		}
		return []string{filepath.Dir(filepath.Dir(real))}
	}
	found, err := filepath.Glob("/usr/lib/jvm/*/bin/java")
	if err != nil {
		t.Fatal(err)
	}
	seen, all := map[string]bool{}, []string{}
	for _, java := range found {
		real, err := filepath.EvalSymlinks(filepath.Dir(filepath.Dir(java)))
		if err == nil && !seen[real] {
			seen[real] = true
			all = append(all, real)
		}
	}
	if *jdks != "" {
		all = append(all, strings.Split(*jdks, ",")...)
	}
	return all
}

// classes compiles the application, for releases that have a client of HTTP.
func classes(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := program.Command(t, "javac", "--release", "11", "-d", dir, "testdata/app/App.java").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// java starts a release of Java; those of the wide run are whatever the machine has.
func java(home string, args ...string) *exec.Cmd {
	return &exec.Cmd{Path: filepath.Join(home, "bin/java"), Args: append([]string{"java"}, args...)}
}

// jvm is an application in a JVM: with the agent unless endpoint is empty.
func jvm(t *testing.T, home, path, endpoint string, args ...string) *agenttest.Process {
	t.Helper()
	cmd := java(home, append([]string{"-cp", path, "App", "secret"}, args...)...)
	cmd.Env = []string{"PATH=" + program.Folders}
	if endpoint != "" {
		cmd.Env = append(cmd.Env, "JAVA_TOOL_OPTIONS=-javaagent:"+agenttest.Tree(t, "agents/java/build.sh")+"/opentelemetry-javaagent.jar",
			"OTEL_SERVICE_NAME=app", "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint, "OTEL_METRIC_EXPORT_INTERVAL=1000")
	}
	return agenttest.Start(t, cmd).Listening(t)
}

func TestEveryRequestIsOneServerSpanWithTheRightParents(t *testing.T) {
	path := classes(t)
	for _, home := range homes(t) {
		t.Run(filepath.Base(home), func(t *testing.T) {
			collector := agenttest.NewCollector(t)
			p := jvm(t, home, path, collector.URL)
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
			for deadline := time.Now().Add(5 * time.Second); !collector.Metrics()["jvm.memory.used"] && time.Now().Before(deadline); {
				time.Sleep(100 * time.Millisecond)
			}
			if metrics := collector.Metrics(); !metrics["jvm.memory.used"] || !metrics["jvm.thread.count"] {
				t.Errorf("no figures of the JVM in %v", metrics)
			}
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
	}{"a signal": {nil, syscall.SIGTERM}, "an exit": {[]string{"exit"}, 0}}
	for _, home := range homes(t) {
		for name, tc := range ends {
			t.Run(name+" "+filepath.Base(home), func(t *testing.T) {
				end := func(endpoint string) (agenttest.End, time.Duration) {
					p := jvm(t, home, path, endpoint, tc.args...)
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
					if got, took := end(endpoint); got != wantEnd || took > without+slack {
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

func TestAnApplicationKeepsItsOwnSDK(t *testing.T) {
	path := classes(t)
	jar := filepath.Join(t.TempDir(), "opentelemetry-sdk-trace-1.50.0.jar")
	if err := os.WriteFile(jar, nil, 0o644); err != nil { // Its name is what tells.
		t.Fatal(err)
	}
	collector := agenttest.NewCollector(t)
	p := jvm(t, homes(t)[0], path+":"+jar, collector.URL)
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
	cmd := java(homes(t)[0], "-cp", path, "App")
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
	cmd := java(homes(t)[0], "-cp", path, "App")
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
