package python_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// span is what the tests look at, of a span as OTLP writes it.
type span struct {
	TraceID  string `json:"traceId"`
	SpanID   string `json:"spanId"`
	ParentID string `json:"parentSpanId"`
	Name     string `json:"name"`
	Kind     int    `json:"kind"`
	Attrs    []attr `json:"attributes"`
	PID      string `json:"-"`
}

const (
	server   = 2
	client   = 3
	producer = 4
	consumer = 5
)

type attr struct {
	Key   string         `json:"key"`
	Value map[string]any `json:"value"`
}

func find(attrs []attr, key string) string {
	for _, a := range attrs {
		if a.Key == key {
			for _, value := range a.Value {
				switch v := value.(type) {
				case string:
					return v
				case float64:
					return strconv.FormatFloat(v, 'f', -1, 64)
				}
			}
		}
	}
	return ""
}

type exported struct {
	ResourceSpans []struct {
		Resource   struct{ Attributes []attr }
		ScopeSpans []struct{ Spans []span }
	}
	ResourceMetrics []struct {
		ScopeMetrics []struct{ Metrics []metric }
	}
}

// metric is what the semantic conventions say about one, and its points.
type metric struct {
	Name, Unit     string
	Sum, Histogram *struct {
		IsMonotonic bool
		DataPoints  []struct{ Attributes []attr }
	}
}

// wantMetrics wants the metrics of HTTP and of the collector of garbage, as the semantic conventions have them.
func (r *receiver) wantMetrics(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.metrics["http.server.request.duration"]; m.Histogram == nil || m.Unit != "s" {
		t.Errorf("the duration of requests is %+v", m)
	}
	for name, unit := range map[string]string{
		"cpython.gc.collections": "{collection}", "cpython.gc.collected_objects": "{object}", "cpython.gc.uncollectable_objects": "{object}",
	} {
		m := r.metrics[name]
		if m.Sum == nil || !m.Sum.IsMonotonic || m.Unit != unit {
			t.Errorf("%s is %+v, want a counter of %s; there are %v", name, m, unit, slices.Sorted(maps.Keys(r.metrics)))
			continue
		}
		for _, point := range m.Sum.DataPoints {
			if !slices.ContainsFunc(point.Attributes, func(a attr) bool { return a.Key == "cpython.gc.generation" }) {
				t.Errorf("a point of %s has %v, want the generation", name, point.Attributes)
			}
		}
	}
}

// receiver is a collector: it takes OTLP JSON over HTTP.
type receiver struct {
	url     string
	mu      sync.Mutex
	spans   []span
	metrics map[string]metric
	invalid []string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{metrics: map[string]metric{}}
	s := httptest.NewServer(r)
	t.Cleanup(func() {
		s.Close()
		for _, problem := range r.invalid {
			t.Errorf("the receiver was sent something invalid: %s", problem)
		}
	})
	r.url = s.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var got exported
	if err := json.NewDecoder(request.Body).Decode(&got); err != nil {
		r.invalid = append(r.invalid, request.URL.Path+": "+err.Error())
	}
	for _, of := range got.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				s.PID = find(of.Resource.Attributes, "process.pid")
				r.spans = append(r.spans, s)
			}
		}
	}
	for _, of := range got.ResourceMetrics {
		for _, scope := range of.ScopeMetrics {
			for _, m := range scope.Metrics {
				r.metrics[m.Name] = m
			}
		}
	}
	_, _ = w.Write([]byte("{}"))
}

// wait returns the spans when there are as many as wanted and a little later, so that one too many is seen.
func (r *receiver) wait(t *testing.T, want int) []span {
	t.Helper()
	const longerThanTheAgentKeepsSpans = 1500 * time.Millisecond
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if len(r.now()) >= want {
			break
		}
	}
	time.Sleep(longerThanTheAgentKeepsSpans)
	return r.now()
}

func (r *receiver) now() []span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]span(nil), r.spans...)
}

func ofKind(spans []span, kind int) []span {
	var of []span
	for _, s := range spans {
		if s.Kind == kind {
			of = append(of, s)
		}
	}
	return of
}
