// Package agenttest is what the tests of agents share: a collector that keeps what it gets, ones that hang or
// are not there, the folders that build scripts fill, and processes that are ended in the ways that matter.
package agenttest

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// Span is one span that a collector got.
type Span struct {
	Name, Kind, Trace, ID, Parent string
	Attributes, Resource          map[string]any
}

// Collector is an OTLP receiver over HTTP. Its methods are safe while agents send.
type Collector struct {
	URL string

	mu      sync.Mutex
	spans   []Span
	metrics map[string]Metric
	logs    []Log
	bad     []string
}

// NewCollector starts one that ends with the test.
func NewCollector(t testing.TB) *Collector {
	c := &Collector{metrics: map[string]Metric{}}
	server := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Hanging is the address of a collector that accepts connections and never answers.
func Hanging(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String() // The kernel accepts; nobody reads.
}

// Absent is an address that nobody listens at.
func Absent(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func (c *Collector) serve(w http.ResponseWriter, r *http.Request) {
	if err := c.keep(r); err != nil {
		c.mu.Lock()
		c.bad = append(c.bad, err.Error())
		c.mu.Unlock()
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	if strings.Contains(r.Header.Get("Content-Type"), "json") {
		fmt.Fprint(w, "{}")
	}
}

func (c *Collector) keep(r *http.Request) error {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = unpacked
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	json := strings.Contains(r.Header.Get("Content-Type"), "json")
	switch r.URL.Path {
	case "/v1/traces":
		return c.keepTraces(content, json)
	case "/v1/metrics":
		return c.keepMetrics(content, json)
	case "/v1/logs":
		return c.keepLogs(content, json)
	}
	return fmt.Errorf("a request for %s", r.URL.Path)
}

func (c *Collector) keepTraces(content []byte, json bool) error {
	request := ptraceotlp.NewExportRequest()
	read := request.UnmarshalProto
	if json {
		read = request.UnmarshalJSON
	}
	if err := read(content); err != nil {
		return fmt.Errorf("reading traces: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.Traces().ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				c.spans = append(c.spans, of(span, resource.Resource().Attributes()))
			}
		}
	}
	return nil
}

func of(span ptrace.Span, resource pcommon.Map) Span {
	return Span{
		Name: span.Name(), Kind: span.Kind().String(), Trace: span.TraceID().String(), ID: span.SpanID().String(),
		Parent: span.ParentSpanID().String(), Attributes: span.Attributes().AsRaw(), Resource: resource.AsRaw(),
	}
}

// Spans are those that came until now, in the order in which they came.
func (c *Collector) Spans(t testing.TB) []Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, what := range c.bad {
		t.Errorf("the collector could not read what it got: %s", what)
	}
	return append([]Span(nil), c.spans...)
}

// Await waits until as many spans came, and then for those that would be too many.
func (c *Collector) Await(t testing.TB, want int) []Span {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for len(c.Spans(t)) < want && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(1500 * time.Millisecond) // Longer than a batch waits.
	return c.Spans(t)
}

// Kind are the spans of one kind: Server, Client, Internal.
func Kind(spans []Span, kind string) []Span {
	var found []Span
	for _, span := range spans {
		if span.Kind == kind {
			found = append(found, span)
		}
	}
	return found
}
