package answer

import (
	"strings"
	"testing"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
)

// about is a destination of a type with some fields.
func about(t *testing.T, kind string, secret bool, config map[string]string) About {
	t.Helper()
	typ, err := destinations.Get(kind)
	if err != nil {
		t.Fatal(err)
	}
	return About{Name: "backend", Type: typ, Config: config, Secret: secret, Endpoint: config["endpoint"]}
}

func at(endpoint string) map[string]string { return map[string]string{"endpoint": endpoint} }

// unavailable is what gRPC says of a connection that it does not get.
func unavailable(words string) Reply {
	return Reply{Signal: odiv1.SignalTraces, Words: `rpc error: code = Unavailable desc = connection error: desc = "` + words + `"`}
}

// overHTTP is an answer with a body.
func overHTTP(status int, contentType, body string) Reply {
	return Reply{Signal: odiv1.SignalLogs, Words: "rpc error: code = Unknown desc = error exporting items", URL: "https://host/v1/logs", Reached: "answer",
		Status: status, ContentType: contentType, Body: body}
}

func plainHTTP(status int, contentType, body string) Reply {
	r := overHTTP(status, contentType, body)
	r.URL = "http://host:443/v1/logs"
	return r
}

// TestExplain has what no server of a test says, or says only where it is far away;
// live_test.go has the servers.
func TestExplain(t *testing.T) {
	tests := map[string]struct {
		reply                    Reply
		kind                     string
		secret                   bool
		config                   map[string]string
		step                     Step
		cause, wantWords, advice string
	}{
		"a Service of odi's own namespace is looked for": {unavailable("produced zero addresses"), "jaeger", false, at("http://jaeger:4317"),
			StepName, "no such host", "produced zero addresses", "write jaeger.NAMESPACE for a Service of another"},
		"a Service of another namespace": {unavailable("lookup jaeger.obs on 10.0.0.10:53: no such host"), "jaeger", false, at("http://jaeger.obs:4317"),
			StepName, "no such host", "lookup jaeger.obs on 10.0.0.10:53: no such host", "Is there a Service jaeger in the namespace obs? kubectl get service -n obs"},
		"a Service with its whole name": {unavailable("no such host"), "jaeger", false, at("http://jaeger.obs.svc.cluster.local:4317"),
			StepName, "no such host", "no such host", "kubectl get service -n obs"},
		"a region that there is not": {Reply{Words: `failed to make an HTTP request: Post "https://otlp.xx.example.com/v1/logs": dial tcp: lookup otlp.xx.example.com: no such host`,
			URL: "https://otlp.xx.example.com/v1/logs"}, "newrelic", true, map[string]string{"host": "otlp.xx.example.com"},
			StepName, "no such host", "dial tcp: lookup otlp.xx.example.com: no such host", "Check host (otlp.xx.example.com): is there such a region"},
		"a name server that is silent": {unavailable("dns: A record lookup error: lookup host.example.com on 10.0.0.10:53: read udp 10.1.2.3:5353->10.0.0.10:53: i/o timeout"), "otlp", false, at("https://host.example.com:4317"),
			StepName, "its name cannot be looked up", "read udp", "a NetworkPolicy that keeps UDP 53 in"},
		"a name server in trouble": {Reply{Words: `failed to make an HTTP request: Post "https://h.example.com/v1/logs": dial tcp: lookup h.example.com on 10.0.0.10:53: server misbehaving`, URL: "https://h.example.com/v1/logs"},
			"otlphttp", false, at("https://h.example.com"), StepName, "its name cannot be looked up", "lookup h.example.com on 10.0.0.10:53: server misbehaving", "kube-dns"},
		"a name server that has nobody to ask": {unavailable("dns: A record lookup error: lookup jaeger.obs on 10.0.0.10:53: server misbehaving"), "otlp", false, at("http://jaeger.obs:4317"),
			StepName, "its name cannot be looked up", "server misbehaving", "Is there a Service jaeger in the namespace obs? kubectl get service -n obs; if there is, the cluster's DNS is in trouble"},
		"no way there": {unavailable("dial tcp [2001:db8::1]:4317: connect: network is unreachable"), "otlp", false, at("https://host.example.com:4317"),
			StepConnection, "no route to the host", "network is unreachable", "IP addresses that the cluster does not have"},
		"packets that are lost, gRPC": {unavailable("transport: Error while dialing: dial tcp 10.1.2.3:4317: i/o timeout"), "otlp", false, at("https://host.example.com:4317"),
			StepConnection, "no answer in time", "Error while dialing: dial tcp 10.1.2.3:4317: i/o timeout", "NetworkPolicy"},
		"the names that a certificate has": {unavailable(`transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate is valid for *.obs.svc, otlp.example.com, not host`),
			"otlp", false, at("https://host:4317"), StepTLS, "its certificate is for another host", "x509: certificate is valid for", "Call it by a name that it has: *.obs.svc, otlp.example.com."},
		"a type that takes no authority": {Reply{Words: "tls: failed to verify certificate: x509: certificate signed by unknown authority", URL: "https://host/v1/logs", Reached: "connection"},
			"honeycomb", true, nil, StepTLS, "not known here", "x509", "A proxy on the way may open the connection"},
		"versions of TLS": {unavailable("transport: authentication handshake failed: remote error: tls: protocol version not supported"), "otlp", false, at("https://host:4317"),
			StepTLS, "TLS cannot be agreed on with it", "protocol version not supported", "TLS 1.2 and newer"},
		"nginx and its port of TLS": {plainHTTP(400, "text/html", "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"), "otlphttp", false, at("http://host:443"),
			StepHTTP, "(400)", "HTTP 400 Bad Request: 400 The plain HTTP request was sent to HTTPS port", "It speaks TLS: write https://host:443."},
		"a tenant over gRPC": {Reply{Words: "rpc error: code = Unauthenticated desc = no org id"}, "tempo", false, at("http://tempo:4317"),
			StepGRPC, "(Unauthenticated)", "gRPC Unauthenticated: no org id", "It wants to know whose the data is: set tenant"},
		"a tenant of a type that has none": {overHTTP(400, "application/json", `{"message":"missing tenant"}`), "newrelic", true, nil,
			StepHTTP, "(400)", `{"message":"missing tenant"}`, "as X-Scope-OrgID"},
		"a clock that is ahead": {func() Reply { r := overHTTP(401, "", "bad signature"); r.SkewSeconds = 1260; return r }(), "otlphttp", true, at("https://host"),
			StepHTTP, "(401)", "bad signature", "The clock of the gateway's node is 21 minutes ahead of the backend's"},
		"a clock that is a little ahead": {func() Reply { r := overHTTP(401, "", "bad signature"); r.SkewSeconds = 60; return r }(), "otlphttp", true, at("https://host"),
			StepHTTP, "(401)", "bad signature", "The key is sent as the header"},
		"the protobuf message of a backend": {Reply{Words: "error exporting items, request to https://host/v1/logs responded with HTTP Status Code 400, Message=no such dataset, Details=[]",
			URL: "https://host/v1/logs", Status: 400, ContentType: "application/x-protobuf"}, "otlphttp", true, at("https://host"), StepHTTP, "(400)", "HTTP 400 Bad Request: no such dataset", "Its words say"},
		"a name that gRPC does not have":   {Reply{Words: "rpc error: code = Hunter desc = x"}, "otlp", true, at("https://host:4317"), StepGRPC, "it refuses the data", "gRPC Hunter: x", ""},
		"a number that HTTP does not have": {overHTTP(599, "", ""), "otlphttp", true, at("https://host"), StepHTTP, "it refuses the data (599)", "HTTP 599", ""},
		"a gateway before the backend":     {Reply{Words: "rpc error: code = Unavailable desc = upstream connect error or disconnect/reset before headers"}, "otlp", true, at("https://host:4317"), StepGRPC, "(Unavailable)", "upstream connect error", "load balancer"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := Explain([]Reply{tc.reply}, about(t, tc.kind, tc.secret, tc.config))[0]
			if f.Accepted || f.Step != tc.step || !strings.Contains(f.Cause, tc.cause) || !strings.Contains(f.Words, tc.wantWords) || !strings.Contains(f.Hint, tc.advice) {
				t.Errorf("step  %s\ncause %s\nwords %s\nhint  %s\nwant %+v", f.Step, f.Cause, f.Words, f.Hint, tc)
			}
		})
	}
}

func TestWhatWasTaken(t *testing.T) {
	tests := map[string]struct {
		reply    Reply
		accepted bool
		words    string
	}{
		"gRPC":                      {Reply{}, true, ""},
		"HTTP":                      {Reply{Status: 200, ContentType: "application/x-protobuf"}, true, ""},
		"HTTP without a type":       {Reply{Status: 204}, true, ""},
		"HTTP in JSON":              {Reply{Status: 202, ContentType: "application/json"}, true, ""},
		"a warning":                 {Reply{Status: 200, Message: "the limit is near"}, true, "the limit is near"},
		"a page":                    {Reply{Status: 200, ContentType: "text/html; charset=utf-8"}, false, "HTTP 200 OK"},
		"nothing kept":              {Reply{Status: 200, Rejected: 1, Message: "no"}, false, "no"},
		"a page with a script":      {Reply{Status: 200, ContentType: "text/html", Body: "<script>x()</script><b>Hello</b>\n you"}, false, "HTTP 200 OK: Hello you"},
		"a body that is too long":   {Reply{Words: "x", Status: 500, Body: strings.Repeat("é", 999)}, false, "HTTP 500 Internal Server Error: " + strings.Repeat("é", 200) + "..."},
		"a body that has no text":   {Reply{Words: "x", Status: 500, Body: "<br><br>"}, false, "HTTP 500 Internal Server Error: <br><br>"},
		"an exporter's plain words": {Reply{Words: "something\nelse"}, false, "something else"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := Explain([]Reply{tc.reply}, about(t, "otlphttp", false, at("http://host")))[0]
			if f.Accepted != tc.accepted || f.Words != tc.words {
				t.Errorf("accepted %t, words %q; want %t, %q", f.Accepted, f.Words, tc.accepted, tc.words)
			}
		})
	}
}

func TestPathsThatAreThereTwice(t *testing.T) {
	for address, want := range map[string]string{
		"http://h/v1/traces/v1/traces":        "/v1/traces",
		"http://h/otlp/otlp/v1/traces":        "/otlp",
		"http://h/api/v2/otlp/api/v2/otlp/v1": "/api/v2/otlp",
		"http://h/v1/traces":                  "",
		"http://h/a/b/a/c":                    "",
		"http://h/":                           "",
		"":                                    "",
	} {
		if got := (question{Reply: Reply{URL: address}}).twice(); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
