//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	metrics "github.com/prometheus/client_model/go"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

const (
	// graphDestination takes metrics alone: traces come to Jaeger once.
	graphDestination = `apiVersion: odi.dev/v1alpha1
kind: Destination
metadata: {name: graph, namespace: odi-system}
spec:
  type: otlp
  signals: [metrics]
  config: {endpoint: "http://jaeger.observability:4317"}
`
	// graphArrival bounds how long edges take: three collections for an address to become known, and the way.
	graphArrival = time.Minute
	// graphSettles is how long nothing changes when all that was sent before has arrived.
	graphSettles = 35 * time.Second
)

// The metrics of service graphs, as Tempo's generator and the Collector's connector name them for Prometheus.
const (
	graphRequests = "traces_service_graph_request_total"
	graphFailed   = "traces_service_graph_request_failed_total"
	graphClients  = "traces_service_graph_request_client_seconds"
	graphServers  = "traces_service_graph_request_server_seconds"
)

// edges are numbers of requests by "client > server", each with its namespace, and connection_type.
type edges map[string]uint64

// checkGraph wants every request of a checkout on its edge, also that of the driver, which nobody looks at,
// once each, although most have two ends that are looked at.
func (w *world) checkGraph(t *testing.T) {
	w.addGraph(t)
	const checkouts = 40
	want := edges{}
	for _, c := range shop.Calls {
		want[graphEdge(c.Client, c.Server)] += checkouts
	}
	w.expectEdges(t, traffic.Load{Requests: checkouts, Pause: 20 * time.Millisecond, Concurrency: 2}, want)
}

// addGraph adds a destination of metrics until the test ends.
func (w *world) addGraph(t *testing.T) {
	t.Helper()
	if err := w.cluster.Apply(t.Context(), []byte(graphDestination)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.cluster.Delete(context.WithoutCancel(t.Context()), []byte(graphDestination)); err != nil {
			t.Error(err)
		}
	})
}

// expectOrderEdges is checkGraph for an order, which asks databases, by gRPC and over TLS.
func (w *world) expectOrderEdges(t *testing.T) {
	t.Helper()
	w.addGraph(t)
	const orders = 20
	want := edges{}
	for _, c := range shop.OrderCalls {
		want[graphEdge(c.Client, c.Server)] += orders
	}
	for _, s := range shop.OrderStatements {
		server := s.System
		if s.System == "postgresql" {
			server = shop.Database
		}
		want[graphEdge(s.Client, server)+" database"] += orders
	}
	w.expectEdges(t, traffic.Load{URL: shop.SecureURL, Path: shop.OrderPath, Requests: orders, Pause: 20 * time.Millisecond}, want)
}

// graphEdge is an edge of the shop; what comes from outside is the driver's.
func graphEdge(client, server string) string {
	if client == "" {
		return "traffic/driver > " + shop.Namespace + "/" + server + " virtual_node"
	}
	return shop.Namespace + "/" + client + " > " + shop.Namespace + "/" + server
}

// expectEdges drives a load and wants so many requests more on the edges, and none on any other.
func (w *world) expectEdges(t *testing.T, load traffic.Load, want edges) {
	t.Helper()
	before := w.settledEdges(t)
	w.drive(t, load)
	var got map[string]edges
	err := stage.Eventually(t.Context(), graphArrival, time.Second, func(ctx context.Context) (bool, string) {
		now, err := w.edges(ctx)
		if err != nil {
			return false, err.Error()
		}
		got = more(now, before)
		return enoughEdges(got[graphRequests], want) && maps.Equal(got[graphServers], got[graphRequests]),
			fmt.Sprintf("requests: %v\nas servers saw them: %v\nwant %v", got[graphRequests], got[graphServers], want)
	})
	if err != nil {
		t.Error(err)
	}
	for edge, n := range got[graphFailed] {
		t.Errorf("%d requests of %s have failed", n, edge)
	}
	for edge, n := range got[graphClients] {
		if n != got[graphRequests][edge] {
			t.Errorf("the clients of %s saw %d requests of %d", edge, n, got[graphRequests][edge])
		}
	}
	t.Logf("edges: %v", got[graphRequests])
}

// enoughEdges says whether there are just so many requests. Of databases a pool of connections asks by itself, too.
func enoughEdges(got, want edges) bool {
	for edge, n := range got {
		if n != want[edge] && (n < want[edge] || want[edge] == 0 || !strings.HasSuffix(edge, shop.Database+" database")) {
			return false
		}
	}
	return len(got) == len(want)
}

// settledEdges waits until all that was sent before is counted.
func (w *world) settledEdges(t *testing.T) map[string]edges {
	t.Helper()
	var last map[string]edges
	var since time.Time
	err := stage.Eventually(t.Context(), 3*graphSettles, 2*time.Second, func(ctx context.Context) (bool, string) {
		now, err := w.edges(ctx)
		if err != nil {
			return false, err.Error()
		}
		if last == nil || !maps.EqualFunc(now, last, maps.Equal[edges, edges]) {
			last, since = now, time.Now()
		}
		return len(now[graphRequests]) > 0 && time.Since(since) > graphSettles, fmt.Sprintf("edges still change: %v", now)
	})
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// edges reads what the destination has got.
func (w *world) edges(ctx context.Context) (map[string]edges, error) {
	families, err := w.cluster.Measured(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]edges{}
	for _, name := range []string{graphRequests, graphFailed, graphClients, graphServers} {
		all[name] = edges{}
		for _, m := range families[name].GetMetric() {
			all[name][edgeOf(m)] += uint64(m.GetCounter().GetValue()) + m.GetHistogram().GetSampleCount()
		}
	}
	return all, nil
}

func edgeOf(m *metrics.Metric) string {
	labels := map[string]string{}
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	edge := labels["client_k8s_namespace_name"] + "/" + labels["client"] + " > " + labels["server_k8s_namespace_name"] + "/" + labels["server"]
	if kind := labels["connection_type"]; kind != "" {
		edge += " " + kind
	}
	return edge
}

// more is what was added, without what was not.
func more(now, before map[string]edges) map[string]edges {
	all := map[string]edges{}
	for name, of := range now {
		all[name] = edges{}
		for edge, n := range of {
			if n -= before[name][edge]; n > 0 {
				all[name][edge] = n
			}
		}
	}
	return all
}
