package agentsextension

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
)

func newTest(t *testing.T) *Extension {
	t.Helper()
	set := extension.Settings{TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	e, err := newExtension(set, &Config{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func agent(name string) map[string]Identity {
	return map[string]Identity{name: {Attributes: map[string]string{"service.name": name}}}
}

func table() Table {
	return Table{
		Node:          "n",
		HostAddresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
		Pods: []Pod{
			{UID: "cart", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("fd00::1")}, Containers: agent("cart")},
			{UID: "plain", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.2")}},
			{UID: "twin-a", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.3")}, Containers: agent("a")},
			{UID: "twin-b", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.3")}, Containers: agent("b")},
			{UID: "host", HostNetwork: true, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, Containers: agent("host")},
			{UID: "host-plain", HostNetwork: true},
			{UID: "thief", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, Containers: agent("thief")},
		},
	}
}

// put hands a table over as an odiglet does once it is let in.
func put(t *testing.T, e *Extension, body any) *httptest.ResponseRecorder {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPut, Path, bytes.NewReader(text)))
	return w
}

// TestWhoMaySend has senders that nobody knows, that may not, and that claim to be others.
func TestWhoMaySend(t *testing.T) {
	e := newTest(t)
	if w := put(t, e, table()); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	for name, tc := range map[string]struct {
		from, claimed string
		want          string // a pod's UID
		why           Refusal
	}{
		"a pod":                {from: "10.1.0.1", want: "cart"},
		"by its other address": {from: "fd00::1", want: "cart"},
		"by an address that is written otherwise": {from: "::ffff:10.1.0.1", want: "cart"},
		"a pod that claims to be another":         {from: "10.1.0.1", claimed: "host", want: "cart"},
		"a pod without an agent":                  {from: "10.1.0.2", why: NotInstrumented},
		"that claims to have one":                 {from: "10.1.0.2", claimed: "cart", why: NotInstrumented},
		"a stranger":                              {from: "10.9.9.9", claimed: "cart", why: Unknown},
		"an address that two pods have":           {from: "10.1.0.3", why: Unknown},
		"the node's network":                      {from: "10.0.0.1", claimed: "host", want: "host"},
		"without a claim":                         {from: "10.0.0.1", why: NotThatPod},
		"that claims a pod with its own network":  {from: "10.0.0.1", claimed: "cart", why: NotThatPod},
		"that claims a pod without an agent":      {from: "10.0.0.1", claimed: "host-plain", why: NotInstrumented},
		"a pod with the node's address":           {from: "10.0.0.1", claimed: "thief", why: NotThatPod},
	} {
		t.Run(name, func(t *testing.T) {
			peer, why := e.who(netip.MustParseAddr(tc.from), time.Now())
			var pod *Pod
			if why == Accepted {
				pod, why = peer.Pod(tc.claimed)
			}
			if why != tc.why || (pod == nil) != (tc.want == "") || pod != nil && pod.UID != tc.want {
				t.Errorf("%v %q, want %q %q", pod, why, tc.want, tc.why)
			}
		})
	}
}

func TestATableIsGoodForAWhile(t *testing.T) {
	e := newTest(t)
	pod := netip.MustParseAddr("10.1.0.1")
	if _, why := e.who(pod, time.Now()); why != NoTable || !why.Passes() {
		t.Errorf("before any table: %q", why)
	}
	put(t, e, table())
	if _, why := e.who(pod, time.Now().Add(staleAfter/2)); why != Accepted {
		t.Errorf("with a table: %q", why)
	}
	if _, why := e.who(pod, time.Now().Add(2*staleAfter)); why != NoTable {
		t.Errorf("long after the odiglet was heard of: %q", why)
	}
}

func TestBadTables(t *testing.T) {
	many := map[string]string{}
	for i := range maxAttributes + 1 {
		many[strings.Repeat("k", i+1)] = ""
	}
	for name, body := range map[string]any{
		"no object":        "text",
		"a pod of nobody":  Table{Pods: []Pod{{}}},
		"too many pods":    Table{Pods: make([]Pod, maxPods+1)},
		"too much of each": Table{Pods: []Pod{{UID: "x", Containers: map[string]Identity{"c": {Attributes: many}}}}},
		"too large":        strings.Repeat("x", maxTable+1),
	} {
		t.Run(name, func(t *testing.T) {
			e := newTest(t)
			put(t, e, table())
			if w := put(t, e, body); w.Code < 400 {
				t.Errorf("taken: %d", w.Code)
			}
			if _, why := e.who(netip.MustParseAddr("10.1.0.1"), time.Now()); why != Accepted {
				t.Errorf("the good one is gone: %q", why)
			}
		})
	}
}

func TestTheWitness(t *testing.T) {
	e := newTest(t)
	put(t, e, table())
	e.Reported("cart", "cart", 3)
	e.Reported("cart", "cart", 4)
	e.Reported("gone", "x", 4)
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path, nil))
	var a Answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	if a.Reported["cart"]["cart"] != 7 || len(a.Reported) != 1 || a.Epoch == "" || len(a.Table) != 64 {
		t.Errorf("the answer is %+v", a)
	}
	put(t, e, Table{})
	if len(e.reported) != 0 {
		t.Errorf("pods that are gone are still counted: %v", e.reported)
	}
}

// TestNobodyTakesAllThePlaces has one pod that begins requests and never ends them.
func TestNobodyTakesAllThePlaces(t *testing.T) {
	e := newTest(t)
	own := netip.MustParseAddr("127.0.0.1")
	put(t, e, Table{Pods: []Pod{{UID: "p", Addresses: []netip.Addr{own}, Containers: agent("p")}}})
	wrap, err := e.GetHTTPHandler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var inside sync.WaitGroup
	release := make(chan struct{})
	handler, err := wrap(t.Context(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Done(); <-release }))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	defer close(release)
	inside.Add(mostOfOne)
	for range mostOfOne {
		go func() {
			if r, err := http.Post(server.URL, "", nil); err == nil {
				_ = r.Body.Close()
			}
		}()
	}
	inside.Wait()
	r, err := http.Post(server.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if text, _ := io.ReadAll(r.Body); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("one more was answered %d %s", r.StatusCode, text)
	}
}

// TestAStrangersBodyIsNotRead has a sender whose body never comes.
func TestAStrangersBodyIsNotRead(t *testing.T) {
	e := newTest(t)
	put(t, e, Table{})
	wrap, _ := e.GetHTTPHandler(t.Context())
	handler, _ := wrap(t.Context(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("let in") }))
	server := httptest.NewServer(handler)
	defer server.Close()
	c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = io.WriteString(c, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	answer := make([]byte, 64)
	n, err := c.Read(answer)
	if err != nil || !strings.Contains(string(answer[:n]), "503") {
		t.Errorf("answered %q, %v", answer[:n], err)
	}
}

// TestTheOdigletsTable takes what the odiglet's own test says that it writes.
func TestTheOdigletsTable(t *testing.T) {
	text, err := os.ReadFile("testdata/table.json")
	if err != nil {
		t.Fatal(err)
	}
	var table Table
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&table); err != nil {
		t.Fatal(err)
	}
	e := newTest(t)
	put(t, e, table)
	peer, why := e.who(netip.MustParseAddr("10.1.0.1"), time.Now())
	if why != Accepted {
		t.Fatal(why)
	}
	pod, _ := peer.Pod("")
	identity, name := pod.Of("app")
	if name != "app" || identity.Attributes["k8s.namespace.name"] != "shop" || !pod.Wants("traces") || pod.Wants("logs") {
		t.Errorf("the pod is %+v", pod)
	}
}
