package traffic_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/traffic"
)

func TestRunSendsEveryMarkerOnce(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[strings.TrimPrefix(r.URL.Path, "/checkout/")]++
	}))
	defer server.Close()

	load := traffic.Load{URL: server.URL, Name: "once", Requests: 40, Concurrency: 8}
	results, err := traffic.Run(t.Context(), load)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 40 {
		t.Fatalf("got %d results, want 40", len(results))
	}
	for i, r := range results {
		if want := load.Marker(i + 1); r.Marker != want || seen[want] != 1 || r.Failed() {
			t.Errorf("result %d: %+v, received %d times, want one 200 of %s", i, r, seen[want], want)
		}
	}
}

func TestRunSendsTheTraceparentThatItReports(t *testing.T) {
	received := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		received <- r.Header.Get("Traceparent")
	}))
	defer server.Close()

	results, err := traffic.Run(t.Context(), traffic.Load{URL: server.URL, Name: "parent", Requests: 1, Traceparent: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := <-received, "00-"+results[0].TraceID+"-"+results[0].SpanID+"-01"; got != want {
		t.Errorf("sent traceparent %q, reported %q", got, want)
	}
}

func TestRunEndsWhenItsTimeIsOver(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()

	results, err := traffic.Run(t.Context(), traffic.Load{
		URL: server.URL, Name: "time", For: 100 * time.Millisecond, Concurrency: 2, Pause: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	summary := traffic.Summarise(results)
	if summary.Requests == 0 || summary.Failed != summary.Requests || !strings.Contains(summary.FirstFailure, "404") {
		t.Errorf("want some requests, all failed by 404, got %s", summary)
	}
}

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		load traffic.Load
		want string
	}{
		"no url":           {load: traffic.Load{Name: "a", Requests: 1}, want: "url"},
		"no name":          {load: traffic.Load{URL: "http://x", Requests: 1}, want: "name"},
		"a name of a path": {load: traffic.Load{URL: "http://x", Name: "a/b", Requests: 1}, want: "name"},
		"no bound":         {load: traffic.Load{URL: "http://x", Name: "a"}, want: "bound"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := traffic.Run(t.Context(), tc.load)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("want an error about %q, got %v", tc.want, err)
			}
		})
	}
}
