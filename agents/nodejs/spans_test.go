package nodejs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/agents/agenttest"
)

// releases are all of them, or for the short run one per line of the agent.
func releases() []string {
	if *wide {
		return []string{"node18", "node20", "node22.15", "node22", "node24", "node26", musl}
	}
	return []string{"node20", "node24"}
}

// architectures are the releases, and in the wide run one for arm64, in whose emulator no time can be judged.
func architectures() []string {
	if *wide {
		return append(releases(), arm64)
	}
	return releases()
}

// runtimeMetrics are those of Node.js and V8, as the semantic conventions have them.
var runtimeMetrics = map[string]agenttest.Metric{
	"nodejs.eventloop.delay.min":    {Kind: "Gauge", Unit: "s"},
	"nodejs.eventloop.delay.max":    {Kind: "Gauge", Unit: "s"},
	"nodejs.eventloop.delay.mean":   {Kind: "Gauge", Unit: "s"},
	"nodejs.eventloop.delay.stddev": {Kind: "Gauge", Unit: "s"},
	"nodejs.eventloop.delay.p50":    {Kind: "Gauge", Unit: "s"},
	"nodejs.eventloop.delay.p90":    {Kind: "Gauge", Unit: "s"},
	"nodejs.eventloop.delay.p99":    {Kind: "Gauge", Unit: "s"},
	"nodejs.eventloop.utilization":  {Kind: "Gauge", Unit: "1"},
	"nodejs.eventloop.time":         {Kind: "Sum", Unit: "s", Keys: "nodejs.eventloop.state"},
	"v8js.memory.heap.used":         {Kind: "Gauge", Unit: "By", Keys: "v8js.heap.space.name"}, // The conventions have a sum.
}

func TestEveryRequestIsOneServerSpanWithTheRightParents(t *testing.T) {
	for _, release := range architectures() {
		for _, framework := range []string{"http", "express", "fastify", "koa", "esm"} {
			t.Run(release+" "+framework, func(t *testing.T) {
				if release != arm64 { // Five at once are so slow there that idle connections end.
					t.Parallel()
				}
				a := app{release: release, args: []string{"server.cjs", framework}}
				if framework == "esm" {
					a.args = []string{"esm.mjs"}
				}
				oneTracePerRequest(t, a, framework != "http")
			})
		}
	}
}

func oneTracePerRequest(t *testing.T, a app, routes bool) {
	t.Helper()
	collector := agenttest.NewCollector(t)
	p := a.start(t, collector.URL)
	if state := agenttest.State(t, p.Pid()); state != "alive" {
		t.Fatalf("the process says %q\n%s", state, p.Stderr())
	}
	const requests = 3
	for i := range requests {
		got := p.Get(t, fmt.Sprintf("/users/%d", i), fmt.Sprintf("00-%032x-%016x-01", i+1, 0xabc))
		if want := fmt.Sprintf("user %d leaf", i); !strings.HasPrefix(got, want) {
			t.Fatalf("the application answered %q", got)
		}
	}
	// Not sampled: nothing of it, neither here nor in what it asks.
	p.Get(t, "/users/9", fmt.Sprintf("00-%032x-%016x-00", 99, 0xabc))
	spans := collector.Await(t, requests*5)
	checkTraces(t, spans, requests, routes)
	collector.WantMetrics(t, runtimeMetrics)
	if p.Stdout() != "" || p.Stderr() != "" {
		t.Errorf("the application printed %q and %q", p.Stdout(), p.Stderr())
	}
}

// checkTraces wants per request one server span with two clients below, each with a server span below it.
func checkTraces(t *testing.T, spans []agenttest.Span, requests int, routes bool) {
	t.Helper()
	servers := agenttest.Kind(spans, "Server")
	if clients := agenttest.Kind(spans, "Client"); len(servers) != 3*requests || len(clients) != 2*requests {
		t.Fatalf("%d server and %d client spans, want %d and %d:\n%v", len(servers), len(clients), 3*requests, 2*requests, spans)
	}
	for i := range requests {
		trace := fmt.Sprintf("%032x", i+1)
		byID, children := map[string]agenttest.Span{}, map[string]int{}
		for _, span := range spans {
			if span.Trace == trace {
				byID[span.ID] = span
			}
		}
		for _, span := range byID {
			children[span.Kind+" below "+byID[ownerOf(byID, span)].Kind]++
		}
		if children["Server below "] != 1 || children["Client below Server"] != 2 || children["Server below Client"] != 2 {
			t.Errorf("trace %d: %v", i, children)
		}
	}
	for _, span := range servers {
		route := span.Attributes["http.route"]
		if routes && route != "/users/:id" && route != "/leaf" {
			t.Errorf("a server span has the route %v: %v", route, span)
		}
		if span.Resource["service.name"] != "app" || span.Attributes["http.request.method"] != "GET" {
			t.Errorf("a server span of %v with %v", span.Resource, span.Attributes)
		}
		for key := range span.Resource {
			if slices.Contains([]string{"process.command_args", "process.command", "process.owner", "host.name"}, key) {
				t.Errorf("the resource has %s", key)
			}
		}
	}
}

// ownerOf is the nearest span above that is no internal one.
func ownerOf(byID map[string]agenttest.Span, span agenttest.Span) string {
	above := span.Parent
	for byID[above].Kind == "Internal" {
		above = byID[above].Parent
	}
	return above
}

func TestWorkersOfAClusterAreEachTraced(t *testing.T) {
	t.Parallel()
	collector := agenttest.NewCollector(t)
	a := app{release: "node24", args: []string{"server.cjs", "express"}, env: []string{"WORKERS=2", "PORT=0"}}
	p := a.start(t, collector.URL)
	p.Listening(t) // The second one.
	for i := range 4 {
		p.Get(t, fmt.Sprintf("/users/%d", i), fmt.Sprintf("00-%032x-%016x-01", i+1, 0xabc))
	}
	checkTraces(t, collector.Await(t, 20), 4, true)
	if end, _ := p.Signal(t, 15); end.Signal != 15 {
		t.Errorf("the primary ended with %v", end)
	}
}

func TestNpmStartTracesTheApplicationAlone(t *testing.T) {
	for _, release := range releases() {
		if release == "node18" || release == musl {
			continue // npm itself is for newer ones, and starts the machine's programs, which the loader of musl is not among.
		}
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			collector := agenttest.NewCollector(t)
			npm := app{release: release}
			cmd := npm.command(t, collector.URL)
			cmd.Path, cmd.Args = "/usr/bin/npm", []string{"npm", "start", "--silent", "--no-update-notifier"}
			p := agenttest.Start(t, cmd).Listening(t)
			p.Get(t, "/users/0", fmt.Sprintf("00-%032x-%016x-01", 1, 0xabc))
			checkTraces(t, collector.Await(t, 5), 1, true)
			if state := agenttest.State(t, p.Pid()); state != "" {
				t.Errorf("npm itself says %q", state)
			}
			// npm does not always hand signals on: the end of the test ends both.
		})
	}
}

func TestPm2TracesTheWorkersOfACluster(t *testing.T) {
	for _, release := range releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			collector := agenttest.NewCollector(t)
			a := app{release: release, env: []string{"PM2_HOME=" + t.TempDir(), "PORT=0", "FRAMEWORK=express"}}
			a.args = []string{"node_modules/pm2/bin/pm2-runtime", "start", "server.cjs", "-i", "2", "--raw"}
			p := a.start(t, collector.URL)
			p.Listening(t) // The second one.
			for i := range 4 {
				p.Get(t, fmt.Sprintf("/users/%d", i), fmt.Sprintf("00-%032x-%016x-01", i+1, 0xabc))
			}
			checkTraces(t, collector.Await(t, 20), 4, true)
			if state := agenttest.State(t, p.Pid()); state != "" {
				t.Errorf("pm2 itself says %q", state)
			}
			if end, took := p.Signal(t, 15); end.Code != 0 || took > 5*time.Second {
				t.Errorf("pm2 ended with %v after %v", end, took)
			}
		})
	}
}
