package java_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/odi-dev/odi/agents/agenttest"
	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// servers are applications in frameworks that odi did not write: /orders asks /stock twice, once at least
// asynchronously.
var servers = map[string]struct {
	of                      string // Below testdata.
	since                   int    // The oldest Java that the framework is for.
	ordersRoute, stockRoute string
}{
	"Spring Boot":   {"spring", 17, "/orders/{id}", "/stock/{item}"},
	"Spring Boot 3": {"spring3", 17, "/orders/{id}", "/stock/{item}"},
	"Spring Boot 2": {"spring2", 8, "/orders/{id}", "/stock/{item}"},
	"Vert.x":        {"vertx", 11, "/orders/:id", "/stock/:item"},
}

func TestServersGiveOneSpanPerRequest(t *testing.T) {
	for name, tc := range servers {
		for _, j := range releases(t) {
			if j.major(t) < tc.since {
				continue
			}
			t.Run(name+" "+j.name(t), func(t *testing.T) {
				collector := agenttest.NewCollector(t)
				cmd := j.start(t, "-jar", fatJar(t, tc.of, tc.since), "--server.port=0")
				cmd.Env = append(injected(t, collector.URL), "PATH="+program.Folders)
				p := agenttest.Start(t, cmd).Listening(t)
				const requests = 3
				for i := range requests {
					if got := p.Get(t, fmt.Sprintf("/orders/%d", i), fmt.Sprintf("00-%032x-%016x-01", i+1, 0xabc)); got != "leaf leaf" {
						t.Fatalf("the application answered %q\n%s", got, p.Stdout())
					}
				}
				p.Get(t, "/orders/99", fmt.Sprintf("00-%032x-%016x-00", 99, 0xabc)) // Not sampled.
				p.Get(t, "/gc", fmt.Sprintf("00-%032x-%016x-00", 98, 0xabc))
				checkOrders(t, collector.Await(t, 5*requests), requests, tc.ordersRoute, tc.stockRoute)
				if state := agenttest.State(t, p.Pid()); state != "alive" {
					t.Errorf("the process says %q", state)
				}
				collector.WantMetrics(t, runtimeMetrics)
			})
		}
	}
}

// checkOrders wants per request the order's span, two clients below it, and a span of the stock below each.
func checkOrders(t *testing.T, spans []agenttest.Span, requests int, orders, stock string) {
	t.Helper()
	if len(spans) != 5*requests {
		t.Errorf("%d spans, want %d", len(spans), 5*requests)
	}
	for i := range requests {
		byID, found := map[string]agenttest.Span{}, map[string]int{}
		for _, span := range spans {
			if span.Trace == fmt.Sprintf("%032x", i+1) {
				byID[span.ID] = span
			}
		}
		for _, span := range byID {
			above := byID[span.Parent]
			kind := fmt.Sprintf("%s %v below %s %v", span.Kind, span.Attributes["http.route"], above.Kind, above.Attributes["http.route"])
			if above.Kind == "" && span.Parent != fmt.Sprintf("%016x", 0xabc) {
				kind += "of nobody"
			}
			found[kind]++
		}
		order, client, leaf := "Server "+orders+" below  <nil>", "Client <nil> below Server "+orders, "Server "+stock+" below Client <nil>"
		if len(found) != 3 || found[order] != 1 || found[client] != 2 || found[leaf] != 2 {
			t.Errorf("trace %d: got %v, want 1 %s, 2 %s, 2 %s", i, found, order, client, leaf)
		}
	}
}

// fatJar is an application with the jars of its list: nested, with Spring's loader, where they have one, or else
// beside it.
func fatJar(t *testing.T, of string, release int) string {
	t.Helper()
	folder := filepath.Join("testdata", of)
	inputs, err := cache.Files(folder, "testdata/fetch.sh", "testdata/assemble.sh")
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := store.Make("jars/"+of, cache.Key(inputs...), func(dir string) error {
		cmd := program.Command(t, "testdata/assemble.sh", dir, folder, strconv.Itoa(release))
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("assembling %s: %w\n%s", of, err, out)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "shop.jar")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "shop.jar")
}

// major is the release's first number: 8 for 1.8.0.
func (j jdk) major(t *testing.T) int {
	t.Helper()
	var major int
	if _, err := fmt.Sscanf(strings.TrimPrefix(j.version(t), "1."), "%d", &major); err != nil {
		t.Fatalf("reading the version of %s: %v", j.home, err)
	}
	return major
}
