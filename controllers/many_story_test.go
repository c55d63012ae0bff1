package controllers

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
)

// manyWorkloads are selected by one config.
const manyWorkloads = 1000

// TestManyStory selects a large namespace, and counts what that costs the API server.
func TestManyStory(t *testing.T) {
	admin := testkit.APIServer(t)
	c := testkit.Client(t, admin)
	testkit.Namespace(t, c, "odi-system")
	testkit.Namespace(t, c, "large")
	testkit.Create(t, c, testkit.Deployment("odi-system", "odi-manager", "manager"))
	var group errgroup.Group
	group.SetLimit(8)
	for i := range manyWorkloads {
		group.Go(func() error {
			return c.Create(t.Context(), testkit.Deployment("large", fmt.Sprintf("app-%04d", i), "app"))
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	counted := &counter{requests: map[string]int{}}
	observed := rest.CopyConfig(admin)
	observed.Wrap(counted.wrap)
	testkit.RunManager(t, observed, kube.Config{
		Namespace: "odi-system", ManagerName: "odi-manager",
	}, Setup)

	start := time.Now()
	testkit.Create(t, c, &odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "large", Name: "all"}})
	testkit.Eventually(t, time.Minute, "every workload is selected and decided", func() bool {
		time.Sleep(200 * time.Millisecond) // a list of all is work for the server, too
		var list odiv1.InstrumentedWorkloadList
		if err := c.List(t.Context(), &list, client.InNamespace("large")); err != nil {
			return false
		}
		return len(list.Items) == manyWorkloads && !slices.ContainsFunc(list.Items, func(iw odiv1.InstrumentedWorkload) bool {
			return len(iw.Spec.Containers) != 1
		})
	})
	t.Logf("%d workloads are selected and decided after %s", manyWorkloads, time.Since(start).Round(10*time.Millisecond))
	testkit.Eventually(t, time.Minute, "the manager rests", func() bool {
		before := counted.sum()
		time.Sleep(time.Second)
		return counted.sum() == before
	})
	t.Logf("the manager rests after %s and %d writes:\n%s", time.Since(start).Round(10*time.Millisecond), counted.sum(), counted)
}

// counter counts the writes of a client by kind.
type counter struct {
	mu       sync.Mutex
	requests map[string]int
}

func (c *counter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/leases/") {
			c.mu.Lock()
			c.requests[describeWrite(r)]++
			c.mu.Unlock()
		}
		return next.RoundTrip(r)
	})
}

// describeWrite names the kind that is written, and by whom: "PATCH instrumentedworkloads status odi/facts".
func describeWrite(r *http.Request) string {
	words := []string{r.Method}
	_, path, _ := strings.Cut(r.URL.Path, "/namespaces/")
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if i == 1 || i == 3 { // namespace, kind, name, part
			words = append(words, part)
		}
	}
	return strings.Join(append(words, r.URL.Query().Get("fieldManager")), " ")
}

func (c *counter) sum() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, count := range c.requests {
		n += count
	}
	return n
}

func (c *counter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(c.requests)) {
		lines = append(lines, fmt.Sprintf("%6d %s", c.requests[name], name))
	}
	return strings.Join(lines, "\n")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
