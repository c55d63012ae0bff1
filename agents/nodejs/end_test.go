package nodejs_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/agents/agenttest"
)

// slack is how much later than without the agent a process may end.
const slack = 2 * time.Second

func TestAProcessEndsAsItWouldWithoutTheAgent(t *testing.T) {
	ends := map[string]struct {
		args   []string
		signal syscall.Signal
	}{
		"a signal without a handler": {[]string{"server.cjs", "express"}, syscall.SIGTERM},
		"an interrupt":               {[]string{"server.cjs", "express"}, syscall.SIGINT},
		"a signal with a handler":    {[]string{"server.cjs", "express", "handler"}, syscall.SIGTERM},
		"an exit":                    {[]string{"server.cjs", "express", "exit"}, 0},
		"nothing left to do":         {[]string{"server.cjs", "express", "drain"}, 0},
		"an exception":               {[]string{"server.cjs", "express", "throw"}, 0},
	}
	for name, tc := range ends {
		for _, release := range releases() {
			t.Run(name+" "+release, func(t *testing.T) {
				t.Parallel()
				wantEnd, wantOut, without := endOf(t, app{release: release, args: tc.args, plain: true}, "", tc.signal)
				collector := agenttest.NewCollector(t)
				for where, endpoint := range map[string]string{"alive": collector.URL, "hanging": agenttest.Hanging(t), "absent": agenttest.Absent(t)} {
					end, out, took := endOf(t, app{release: release, args: tc.args}, endpoint, tc.signal)
					if end != wantEnd || out != wantOut {
						t.Errorf("with a collector that is %s it ended with %v, printed %q; without the agent %v, %q", where, end, out, wantEnd, wantOut)
					}
					for tries := 2; took > without+slack && tries > 0 && where != "alive"; tries-- { // A busy machine is late once.
						_, _, took = endOf(t, app{release: release, args: tc.args}, endpoint, tc.signal)
					}
					if took > without+slack {
						t.Errorf("with a collector that is %s it ended after %v, without the agent after %v", where, took, without)
					}
				}
				spans := collector.Spans(t)
				if servers, clients := agenttest.Kind(spans, "Server"), agenttest.Kind(spans, "Client"); len(servers) != 3 || len(clients) != 2 {
					t.Errorf("%d server and %d client spans came, want 3 and 2", len(servers), len(clients))
				}
			})
		}
	}
}

// endOf is how an application ends after one request.
func endOf(t *testing.T, a app, endpoint string, signal syscall.Signal) (agenttest.End, string, time.Duration) {
	t.Helper()
	p := a.start(t, endpoint)
	p.Get(t, "/users/0", "")
	if signal != 0 {
		end, took := p.Signal(t, signal)
		return end, p.Stdout(), took
	}
	from := time.Now()
	return p.Await(t), p.Stdout(), time.Since(from)
}

func TestOldReleasesRunAsTheyWould(t *testing.T) {
	for _, release := range []string{"node12", "node14"} {
		t.Run(release, func(t *testing.T) {
			p := app{release: release, args: []string{"server.cjs", "http"}}.start(t, agenttest.Absent(t))
			if state := agenttest.State(t, p.Pid()); state != "unsupported" || p.Stderr() != "" {
				t.Errorf("the process says %q, and printed %q", state, p.Stderr())
			}
		})
	}
	p := app{release: "node20", root: agenttest.Tree(t, lines["node24"]), args: []string{"server.cjs", "http"}}.start(t, agenttest.Absent(t))
	if state := agenttest.State(t, p.Pid()); state != "unsupported" {
		t.Errorf("20 with the newer line says %q", state)
	}
}

func TestABrokenAgentLeavesTheApplicationAlone(t *testing.T) {
	for name, harm := range map[string]func(root string) error{
		"no bundle":      func(root string) error { return os.Remove(root + "/agent.cjs") },
		"half a bundle":  func(root string) error { return os.Truncate(root+"/agent.cjs", 1<<20) },
		"no loader hook": func(root string) error { return os.Remove(root + "/lib/register.js") },
		"no states":      func(root string) error { return os.RemoveAll(root + "/state") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(t.TempDir(), "agent")
			if err := os.CopyFS(root, os.DirFS(agenttest.Tree(t, lines["node24"]))); err != nil {
				t.Fatal(err)
			}
			if err := harm(root); err != nil {
				t.Fatal(err)
			}
			p := app{release: "node24", root: root, args: []string{"esm.mjs"}}.start(t, agenttest.Absent(t))
			if got := p.Get(t, "/users/1", ""); got != "user 1 leaf leaf" {
				t.Errorf("the application answered %q", got)
			}
			want := "failed"
			if name == "no states" {
				want = ""
			}
			if state := agenttest.State(t, p.Pid()); state != want || p.Stderr() != "" {
				t.Errorf("the process says %q, and printed %q", state, p.Stderr())
			}
		})
	}
}

func TestAnApplicationKeepsItsOwnSDK(t *testing.T) {
	for _, release := range releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			collector := agenttest.NewCollector(t)
			p := app{release: release, args: []string{"own.cjs"}, env: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_BSP_SCHEDULE_DELAY=200"}}.start(t, collector.URL)
			if got := p.Get(t, "/", ""); got != "own" {
				t.Errorf("the application answered %q", got)
			}
			spans := collector.Await(t, 1)
			if len(spans) != 1 || spans[0].Name != "own span" || spans[0].Parent != "" || spans[0].Resource["service.name"] != "own" {
				t.Errorf("got %v, want the application's own span alone", spans)
			}
			if state := agenttest.State(t, p.Pid()); state != "own-sdk" {
				t.Errorf("the process says %q", state)
			}
		})
	}
}

func TestWhatIsPreloadedOrForbiddenKeepsTheAgentAway(t *testing.T) {
	t.Run("the user said no", func(t *testing.T) {
		p := app{release: "node24", args: []string{"server.cjs", "http"}, env: []string{"OTEL_SDK_DISABLED=True"}}.start(t, agenttest.Absent(t))
		if state := agenttest.State(t, p.Pid()); state != "unsupported" {
			t.Errorf("the process says %q", state)
		}
	})
	t.Run("another agent", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "node_modules/dd-trace")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(folder+"/init.js", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		p := app{release: "node24", args: []string{"--require", folder + "/init.js", "server.cjs", "http"}}.start(t, agenttest.Absent(t))
		if state := agenttest.State(t, p.Pid()); state != "own-sdk" || strings.Contains(p.Stderr(), "odi") {
			t.Errorf("the process says %q, and printed %q", state, p.Stderr())
		}
	})
}
