package collectorconfig

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/authority"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/peers"
)

// tableOfPods is what the odiglet of this node says.
const tableOfPods = `{"node":"n","hostAddresses":["127.0.0.9"],"pods":[
 {"uid":"cart-1","addresses":["127.0.0.5"],"signals":["traces"],"containers":{"app":{"attributes":{"k8s.namespace.name":"shop","service.name":"cart"}}}},
 {"uid":"plain-1","addresses":["127.0.0.6"]},
 {"uid":"host-1","hostNetwork":true,"signals":["traces"],"containers":{"h":{"attributes":{"k8s.namespace.name":"infra","service.name":"h"}}}}]}`

// put sends the table with a client's certificate, and says how that went.
func (l live) put(t *testing.T, files map[string][]byte, prefix, ca string) (string, error) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(files[ca])
	config := &tls.Config{RootCAs: pool, ServerName: nodeHost, MinVersion: tls.VersionTLS13}
	if prefix != "" {
		pair, err := tls.X509KeyPair(files[prefix+".crt"], files[prefix+".key"])
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://"+l.pods+"/v1/pods", strings.NewReader(tableOfPods))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }() // It is read to its end.
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// sendFrom is a pod with an address that sends spans to the agents' port.
func (l live) sendFrom(t *testing.T, address string, body []byte, header http.Header) (status int, retryAfter string) {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.agents+"/v1/traces", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	answer, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	_ = answer.Body.Close() // What it says is in the status.
	return answer.StatusCode, answer.Header.Get("Retry-After")
}

var protobuf = http.Header{"Content-Type": {"application/x-protobuf"}}

// agentClaim is claim with a pod's UID, in OTLP over HTTP.
func agentClaim(t *testing.T, namespace, uid string, n int) []byte {
	t.Helper()
	request := claim(namespace, n)
	resource := request.Traces().ResourceSpans().At(0).Resource().Attributes()
	resource.PutStr("k8s.pod.uid", uid)
	resource.PutStr("odi.lane", namespace)
	for _, s := range request.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
		s.SetKind(2) // server
	}
	body, err := request.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestNobodyCanBeAnotherAgent has pods that claim another's name towards the port of
// language agents, which has no certificates, and strangers who say which pod is which.
func TestNobodyCanBeAnotherAgent(t *testing.T) {
	c := startChain(t)
	mine := agentClaim(t, "bank", "host-1", 7)
	if got, after := c.node.sendFrom(t, "127.0.0.5", mine, protobuf); got != http.StatusServiceUnavailable || after == "" {
		t.Errorf("before anybody has said who is who: %d", got)
	}
	own := peers.New(t, authority.ToNode)
	for name, files := range map[string]map[string][]byte{
		"a certificate of its own making": own.Client(t),
		"a node collector's certificate":  c.toGateway.Client(t),
		"none":                            nil,
	} {
		all := c.toNode.Server(t, nodeHost)
		prefix := ""
		for file, content := range files {
			all[file], prefix = content, "client"
		}
		if text, err := c.node.put(t, all, prefix, "clients.crt"); err == nil {
			t.Errorf("a table was taken of who has %s: %s", name, text)
		}
	}
	if text, err := c.node.put(t, c.toNode.Client(t), "client", "node-collector.crt"); err != nil || !strings.Contains(text, `"epoch"`) {
		t.Fatalf("the odiglet's table was not taken: %s %v", text, err)
	}
	bomb := bytes.Buffer{}
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 64<<20))
	_ = z.Close() // Neither fails in memory.
	for name, tc := range map[string]struct {
		from   string
		body   []byte
		header http.Header
		want   func(status int) bool
	}{
		"a stranger":                             {"127.0.0.7", mine, protobuf, is(503)},
		"a pod without an agent":                 {"127.0.0.6", agentClaim(t, "bank", "cart-1", 7), protobuf, is(403)},
		"the node's network, as a pod beside it": {"127.0.0.9", agentClaim(t, "bank", "cart-1", 7), protobuf, is(403)},
		"the node's network, as nobody":          {"127.0.0.9", agentClaim(t, "bank", "", 7), protobuf, is(403)},
		"a body that is too large":               {"127.0.0.5", make([]byte, largestRequest+1), protobuf, refused},
		"a body that is too large once unpacked": {"127.0.0.5", bomb.Bytes(), http.Header{"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {"gzip"}}, refused},
		"what is no OTLP":                        {"127.0.0.5", []byte("\xff\xff"), protobuf, refused},
		"another content":                        {"127.0.0.5", mine, http.Header{"Content-Type": {"text/plain"}}, refused},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := c.node.sendFrom(t, tc.from, tc.body, tc.header); !tc.want(got) {
				t.Errorf("answered %d", got)
			}
		})
	}
	for from, uid := range map[string]string{"127.0.0.5": "host-1", "127.0.0.9": "host-1"} {
		if got, _ := c.node.sendFrom(t, from, agentClaim(t, "bank", uid, 7), protobuf); got != http.StatusOK {
			t.Errorf("%s was refused: %d", from, got)
		}
	}
	testkit.Eventually(t, 10*time.Second, "the agents' spans arrive under their own names", func() bool {
		return c.backend.got("shop") == 7 && c.backend.got("infra") == 7
	})
	if got := c.backend.got("bank"); got != 0 {
		t.Errorf("%d spans arrived under another's name", got)
	}
	c.wantWitness(t)
}

// wantWitness reads what the odiglet is told.
func (c *chain) wantWitness(t *testing.T) {
	t.Helper()
	text, err := c.node.put(t, c.toNode.Client(t), "client", "node-collector.crt")
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Reported map[string]map[string]int `json:"reported"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Reported["cart-1"]["app"] != 7 || answer.Reported["host-1"]["h"] != 7 || len(answer.Reported) != 2 {
		t.Errorf("the witness says %s", text)
	}
	if got := c.node.metric(`odi_agents_refused.*reason="unknown_peer"`); !strings.HasSuffix(got, " 1") {
		t.Errorf("strangers are counted as %q", got)
	}
}

func is(want int) func(int) bool { return func(got int) bool { return got == want } }

func refused(status int) bool { return status >= 400 && status < 500 }
