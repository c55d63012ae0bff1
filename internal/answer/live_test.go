package answer_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/odi-dev/odi/internal/answer"
)

// A story is a backend that behaves in one way, and what odi says of it. Each is
// asked by the real collector; want are parts of the finding's texts.
type story struct {
	ask  func(*testing.T) asking
	step answer.Step
	// cause, words and hint are parts of what is said.
	cause, words, hint string
}

func (s story) tell(t *testing.T) {
	t.Helper()
	asked := s.ask(t)
	begin := time.Now()
	_, findings := asked.findings(t)
	if took := time.Since(begin); took > 12*time.Second {
		t.Errorf("it took %s", took)
	}
	if len(findings) == 0 {
		t.Fatal("nothing is said")
	}
	for _, f := range findings {
		if f.Accepted || f.Step != s.step || !strings.Contains(f.Cause, s.cause) || !strings.Contains(f.Words, s.words) || !strings.Contains(f.Hint, s.hint) {
			t.Errorf("%s\nstep  %s\ncause %s\nwords %s\nhint  %s\nwant %+v", f.Signal, f.Step, f.Cause, f.Words, f.Hint, s)
		}
		if f.Hint == "" {
			t.Errorf("%s: no hint", f.Signal)
		}
	}
}

// http is a story of a backend over HTTP that answers in one way.
func ofHTTP(handler http.HandlerFunc) func(*testing.T) asking {
	return func(t *testing.T) asking { return otlphttp(overHTTP(t, handler)) }
}

func ofGRPC(code codes.Code, text string) func(*testing.T) asking {
	return func(t *testing.T) asking {
		address, _ := overGRPC(t, refusal(code, text), nil)
		return otlp("http://" + address)
	}
}

// withTLS is a backend whose certificate is changed; known says whether its authority is.
func withTLS(known bool, change func(*x509.Certificate)) func(*testing.T) asking {
	return func(t *testing.T) asking {
		config, ca := certificate(t, change)
		a := otlphttp(overTLS(t, config))
		if known {
			a = a.with(map[string]string{"ca_pem": ca}, nil)
		}
		return a
	}
}

// unnamed is no name at all: no name server is asked for it, so that the test needs none.
var unnamed = strings.Repeat("n", 64) + ".example.com"

func TestReaching(t *testing.T) {
	tellAll(t, map[string]story{
		"a closed port over HTTP": {func(t *testing.T) asking { return otlphttp("http://" + closedPort(t)) },
			answer.StepConnection, "connection refused", "connect: connection refused", "Nothing listens there"},
		"a closed port over gRPC": {func(t *testing.T) asking { return otlp("http://" + closedPort(t)) },
			answer.StepConnection, "connection refused", "connect: connection refused", "Nothing listens there"},
		"packets dropped, HTTP": {func(t *testing.T) asking { return otlphttp("http://" + blackHole(t)) },
			answer.StepConnection, "no answer in time", "deadline exceeded", "NetworkPolicy"},
		"packets dropped, gRPC": {func(t *testing.T) asking { return otlp("http://" + blackHole(t)) },
			answer.StepConnection, "no answer in time", "", "NetworkPolicy"},
		"a port that says nothing, HTTP": {func(t *testing.T) asking { return otlphttp("http://" + silentPort(t)) },
			answer.StepHTTP, "no answer in time", "", "Does it want TLS"},
		"a port that says nothing, gRPC": {func(t *testing.T) asking { return otlp("http://" + silentPort(t)) },
			answer.StepGRPC, "no answer in time", "", "Does it want TLS"},
		"a port that says nothing to TLS": {func(t *testing.T) asking { return otlphttp("https://" + silentPort(t)) },
			answer.StepTLS, "no answer in time", "", "plain text"},
		"a name that nobody has": {func(*testing.T) asking {
			return asking{kind: "otlphttp", config: map[string]string{"endpoint": "http://h"}, to: "http://" + unnamed + ":4318"}
		},
			answer.StepName, "no such host", "lookup " + unnamed + ": no such host", "spelling"},
		"a name that nobody has, gRPC": {func(*testing.T) asking {
			return asking{kind: "otlp", config: map[string]string{"endpoint": "http://h:4317"}, to: "http://" + unnamed + ":4317"}
		},
			answer.StepName, "no such host", "lookup " + unnamed + ": no such host", "spelling"},
		"an address of the node": {func(t *testing.T) asking {
			a := otlphttp(overHTTP(t, says(200, "")))
			a.locked = true
			return a
		}, answer.StepGuard, "odi sends nothing to this address", "address not allowed: 127.0.0.1", "allowedAddresses"},
		"a redirect to TLS": {ofHTTP(says(301, "", "Location", "https://otlp.example.com/login?token=x")),
			answer.StepHTTP, "it answers with a redirect", "301 to https://otlp.example.com", "It wants TLS: write https://otlp.example.com in"},
		"a redirect to a login": {ofHTTP(says(302, "", "Location", "http://sso.example.com/login")),
			answer.StepHTTP, "it answers with a redirect", "302 to http://sso.example.com", "A login page is not where data goes"},
		"a proxy with a login": {ofHTTP(says(407, "Proxy says no", "Proxy-Authenticate", "Basic")),
			answer.StepProxy, "a proxy on the way asks for a login", "HTTP 407 Proxy Authentication Required: Proxy says no", "odi uses no proxy"},
	})
}

func TestSecuring(t *testing.T) {
	tellAll(t, map[string]story{
		"an unknown authority": {withTLS(false, nil),
			answer.StepTLS, "not known here", "x509: certificate signed by unknown authority", "as ca_pem"},
		"the certificate of another host": {withTLS(true, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"otlp.example.com"} }),
			answer.StepTLS, "its certificate is for another host", "127.0.0.1", "Call it by a name"},
		"a certificate that has ended": {withTLS(true, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
			answer.StepTLS, "not valid at this time", "certificate has expired or is not yet valid", "It ended 20"},
		"a certificate of the future": {withTLS(true, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }),
			answer.StepTLS, "not valid at this time", "is before", "set its clock"},
		"a certificate of a client is asked for": {func(t *testing.T) asking {
			config, ca := certificate(t, nil)
			config.ClientAuth = tls.RequireAnyClientCert
			return otlphttp(overTLS(t, config)).with(map[string]string{"ca_pem": ca}, nil)
		}, answer.StepTLS, "it asks for a client's certificate", "certificate required", "client_cert_pem"},
		"the same over gRPC": {func(t *testing.T) asking {
			config, _ := certificate(t, nil)
			address, _ := overGRPC(t, nil, config)
			return otlp("https://" + address)
		}, answer.StepTLS, "not known here", "x509: certificate signed by unknown authority", "as ca_pem"},
		"TLS to a plain port, HTTP": {func(t *testing.T) asking {
			return otlphttp(strings.Replace(overHTTP(t, says(200, "")), "http:", "https:", 1))
		}, answer.StepTLS, "it does not speak TLS there", "server gave HTTP response to HTTPS client", "It speaks plain text: write http://127.0.0.1:"},
		"TLS to a plain port, gRPC": {func(t *testing.T) asking {
			address, _ := overGRPC(t, nil, nil)
			return otlp("https://" + address)
		}, answer.StepTLS, "it does not speak TLS there", "first record does not look like a TLS handshake", "It speaks plain text: write http://127.0.0.1:"},
		"plain to a port of TLS, HTTP": {func(t *testing.T) asking {
			config, _ := certificate(t, nil)
			return otlphttp(strings.Replace(overTLS(t, config), "https:", "http:", 1))
		}, answer.StepHTTP, "(400)", "Client sent an HTTP request to an HTTPS server", "It speaks TLS: write https://127.0.0.1:"},
		"plain to a port of TLS, an alert": {func(t *testing.T) asking {
			return otlphttp("http://" + speakingPort(t, "\x15\x03\x01\x00\x02\x02\x16"))
		}, answer.StepHTTP, "it does not speak HTTP there", "malformed HTTP", "It speaks TLS: write https://127.0.0.1:"},
		"plain to a port of TLS, gRPC": {func(t *testing.T) asking {
			config, _ := certificate(t, nil)
			address, _ := overGRPC(t, nil, config)
			return otlp("http://" + address)
		}, answer.StepGRPC, "", "", "It speaks TLS: write https://127.0.0.1:"},
	})
}

func TestSpeaking(t *testing.T) {
	tellAll(t, map[string]story{
		"gRPC to a server of HTTP": {func(t *testing.T) asking { return otlp(overHTTP(t, says(404, ""))) },
			answer.StepGRPC, "it does not speak gRPC there", "", "mostly the port 4317"},
		"HTTP to a server of gRPC": {func(t *testing.T) asking {
			address, _ := overGRPC(t, nil, nil)
			return otlphttp("http://" + address)
		}, answer.StepHTTP, "it does not speak HTTP there", "malformed HTTP response", "It speaks gRPC there"},
		"another protocol": {func(t *testing.T) asking {
			return otlphttp("http://" + speakingPort(t, "220 mail.example.com ESMTP\r\n"))
		},
			answer.StepHTTP, "it does not speak HTTP there", "mail.example.com", "The port is another protocol's"},
		"a web page": {ofHTTP(says(200, "<html><head><title>Sign in</title><style>b{}</style></head><body>Welcome, please sign in</body></html>", "Content-Type", "text/html; charset=utf-8")),
			answer.StepHTTP, "it answers with a web page", "HTTP 200 OK: Sign in Welcome, please sign in", "backend's pages"},
		"a page that is not there": {ofHTTP(says(404, "<html><body><h1>Not Found</h1></body></html>", "Content-Type", "text/html")),
			answer.StepHTTP, "it answers with a web page", "HTTP 404 Not Found: Not Found", ""},
	})
}

func TestAllowing(t *testing.T) {
	key := map[string]string{"header_value": "Bearer hunter2-hunter2"}
	tellAll(t, map[string]story{
		"no key": {ofHTTP(says(401, `{"error":"missing authorization header"}`, "Content-Type", "application/json")),
			answer.StepHTTP, "it refuses the credentials (401)", `HTTP 401 Unauthorized: {"error":"missing authorization header"}`, "No key is set. This type takes: "},
		"a key that is wrong": {func(t *testing.T) asking { return otlphttp(overHTTP(t, says(401, "unknown token"))).with(nil, key) },
			answer.StepHTTP, "it refuses the credentials (401)", "HTTP 401 Unauthorized: unknown token", "The key is sent as the header"},
		"a key that has expired": {func(t *testing.T) asking {
			return otlphttp(overHTTP(t, says(403, "token expired at 2026-01-01"))).with(nil, key)
		}, answer.StepHTTP, "it refuses access with these credentials (403)", "token expired", "The key has expired. Make a new one, and store it: odi destination add otlphttp --name backend --replace"},
		"a clock that is wrong": {func(t *testing.T) asking {
			ahead := time.Now().Add(20 * time.Minute).UTC().Format(http.TimeFormat)
			return otlphttp(overHTTP(t, says(403, "signature mismatch", "Date", ahead))).with(nil, key)
		}, answer.StepHTTP, "(403)", "signature mismatch", "minutes behind the backend's: set it (NTP)"},
		"data of the future": {ofHTTP(says(400, "sample timestamp too far in the future")),
			answer.StepHTTP, "(400)", "too far in the future", "compare the clock"},
		"a tenant is missing": {func(t *testing.T) asking {
			return asking{kind: "loki", config: map[string]string{"endpoint": overHTTP(t, says(401, "no org id"))}}
		}, answer.StepHTTP, "(401)", "no org id", "set tenant"},
		"a key of another region": {func(t *testing.T) asking {
			return asking{kind: "newrelic", config: map[string]string{"host": "otlp.eu01.nr-data.net"}, secrets: map[string]string{"license_key": "hunter2-hunter2"},
				to: overHTTP(t, says(403, ""))}
		}, answer.StepHTTP, "(403)", "HTTP 403 Forbidden", "A key is of one region or site: is host (otlp.eu01.nr-data.net) that of the key?"},
		"Unauthenticated": {ofGRPC(codes.Unauthenticated, "missing token"),
			answer.StepGRPC, "it refuses the credentials (Unauthenticated)", "gRPC Unauthenticated: missing token", "No key is set"},
		"PermissionDenied": {func(t *testing.T) asking {
			address, _ := overGRPC(t, refusal(codes.PermissionDenied, "read only key"), nil)
			return otlp("http://"+address).with(map[string]string{"header_name": "x-key"}, key)
		}, answer.StepGRPC, "it refuses access with these credentials (PermissionDenied)", "read only key", "sent as the header x-key"},
	})
}

func TestAsking(t *testing.T) {
	tellAll(t, map[string]story{
		"a path that is there twice": {func(t *testing.T) asking {
			return otlphttp(overHTTP(t, says(404, "404 page not found")) + "/otlp/otlp")
		},
			answer.StepHTTP, "there is nothing that takes this signal (404)", "HTTP 404 Not Found: 404 page not found", "The path has /otlp twice"},
		"a path that is wrong": {func(t *testing.T) asking { return otlphttp(overHTTP(t, says(404, "404 page not found")) + "/ingest") },
			answer.StepHTTP, "there is nothing that takes this signal (404)", "HTTP 404", "/ingest/v1/"},
		"a method that is wrong": {ofHTTP(says(405, "POST is not allowed")), answer.StepHTTP, "(405)", "POST is not allowed", "Asked was http://127.0.0.1:"},
		"too large":              {ofHTTP(says(413, "too large")), answer.StepHTTP, "it takes no batch of this size (413)", "HTTP 413 Request Entity Too Large: too large", "client_max_body_size"},
		"a limit":                {ofHTTP(says(429, "quota exceeded", "Retry-After", "600")), answer.StepHTTP, "it asks to send less (429)", "quota exceeded", "A limit or quota"},
		"trouble":                {ofHTTP(says(500, "panic")), answer.StepHTTP, "it has trouble of its own (500)", "HTTP 500 Internal Server Error: panic", "backend's own log"},
		"a backend that is away": {ofHTTP(says(503, "no healthy upstream")), answer.StepHTTP, "it has trouble of its own (503)", "no healthy upstream", "load balancer"},
		"not valid":              {ofHTTP(says(400, "unknown dataset")), answer.StepHTTP, "it takes the request for invalid (400)", "unknown dataset", "Its words say"},
		"hanging up":             {func(t *testing.T) asking { return otlphttp("http://" + speakingPort(t, "")) }, answer.StepHTTP, "the connection was cut", "", "may cut it"},
		"Unimplemented": {func(t *testing.T) asking { return otlp("http://" + listenGRPC(t, nil, func(*grpc.Server) {})) },
			answer.StepGRPC, "there is nothing that takes this signal (Unimplemented)", "gRPC Unimplemented: unknown service", "takes no "},
		"ResourceExhausted": {ofGRPC(codes.ResourceExhausted, "too many spans"), answer.StepGRPC, "(ResourceExhausted)", "too many spans", "A limit or quota"},
		"Unavailable":       {ofGRPC(codes.Unavailable, "starting"), answer.StepGRPC, "(Unavailable)", "gRPC Unavailable: starting", "load balancer"},
		"taken, and not kept": {func(t *testing.T) asking {
			response := ptraceotlp.NewExportResponse()
			response.PartialSuccess().SetRejectedSpans(1)
			response.PartialSuccess().SetErrorMessage("no such dataset")
			body, err := response.MarshalProto()
			if err != nil {
				t.Fatal(err)
			}
			return otlphttp(overHTTP(t, says(200, string(body), "Content-Type", "application/x-protobuf")))
		}, answer.StepHTTP, "did not keep it", "no such dataset", "Its words say why"},
	})
}

func tellAll(t *testing.T, stories map[string]story) {
	t.Helper()
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.tell(t)
		})
	}
}

// TestTheDataIsMarked: what arrives can be told from everybody else's.
func TestTheDataIsMarked(t *testing.T) {
	address, seen := overGRPC(t, nil, nil)
	report, findings := otlp("http://" + address).findings(t)
	if len(findings) != 3 || slices.ContainsFunc(findings, func(f answer.Finding) bool { return !f.Accepted }) {
		t.Errorf("got %+v", findings)
	}
	if report.Generation != 3 || report.UID == "" || len(report.TraceID) != 32 || time.Since(report.At) > time.Minute {
		t.Errorf("got %+v", report)
	}
	close(seen)
	var got []string
	for s := range seen {
		got = append(got, s)
	}
	slices.Sort(got)
	// Each once: nothing is sent again, and no heartbeat beats.
	if want := "[logs of odi-destination-test metrics of odi-destination-test traces of odi-destination-test]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestOneSignalIsRefused: the others are not.
func TestOneSignalIsRefused(t *testing.T) {
	url := overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/logs" {
			http.NotFound(w, r)
		}
	}))
	_, findings := otlphttp(url).findings(t)
	if len(findings) != 3 || !findings[0].Accepted || !findings[1].Accepted || findings[2].Accepted ||
		findings[2].Hint != "It takes other signals, and no logs. If it never will, leave them out: --signals traces,metrics" {
		t.Errorf("got %+v", findings)
	}
}

// TestNoSecretIsSaid: whatever a backend says again, and in whatever form.
func TestNoSecretIsSaid(t *testing.T) {
	for name, secret := range seeded() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				key := r.Header.Get("X-Key")
				if key != secret {
					key = "not the secret: " + key
				}
				w.Header().Set("Content-Type", "text/html; "+key)
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, "who are you, "+strings.Join(forms(key), " or ")+"?") // The test sees what arrived.
			})
			a := otlphttp(overHTTP(t, echo)).with(map[string]string{"header_name": "x-key"}, map[string]string{"header_value": secret})
			stdout, stderr, err := a.ask(t)
			if err != nil || !strings.Contains(stdout, "who are you, ***") {
				t.Fatalf("%v\n%s%s", err, stdout, stderr)
			}
			for _, form := range forms(secret) {
				if strings.Contains(stdout+stderr, form) {
					t.Errorf("%q is said:\n%s", form, stdout)
				}
			}
		})
	}
	t.Run("a name and a password", func(t *testing.T) {
		echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "bad credentials: "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		})
		a := asking{kind: "loki", config: map[string]string{"endpoint": overHTTP(t, echo), "username": "odi"}, secrets: map[string]string{"password": "hunter2"}}
		stdout, _, err := a.ask(t)
		if err != nil || !strings.Contains(stdout, "bad credentials: Basic ***") {
			t.Errorf("%v: %s", err, stdout)
		}
	})
	t.Run("a secret in a path", func(t *testing.T) {
		echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "nobody at "+r.URL.Path, http.StatusNotFound)
		})
		a := asking{kind: "sumologic", config: map[string]string{"endpoint": "https://endpoint4.collection.us2.sumologic.com"},
			secrets: map[string]string{"token": "hunter2-hunter2"}, to: overHTTP(t, echo) + "/receiver/v1/otlp/~"}
		stdout, _, err := a.ask(t)
		if err != nil || !strings.Contains(stdout, "nobody at /receiver/v1/otlp/***/v1/logs") || strings.Contains(stdout, "hunter2") {
			t.Errorf("%v: %s", err, stdout)
		}
	})
	t.Run("what a server of gRPC repeats", func(t *testing.T) {
		address, _ := overGRPC(t, refusal(codes.Unauthenticated, "unknown key hunter2-hunter2 (68756e746572322d68756e74657232)"), nil)
		stdout, _, err := otlp("http://"+address).with(nil, map[string]string{"header_value": "hunter2-hunter2"}).ask(t)
		if err != nil || !strings.Contains(stdout, "unknown key *** (***)") {
			t.Errorf("%v: %s", err, stdout)
		}
	})
	t.Run("a configuration that does not start", func(t *testing.T) {
		a := otlphttp("http://127.0.0.1:1").with(nil, map[string]string{"header_value": "hunter2"})
		a.to = "http://[hunter2"
		stdout, stderr, err := a.ask(t)
		if err == nil || strings.Contains(stdout+stderr, "hunter2") {
			t.Errorf("%v: %s%s", err, stdout, stderr)
		}
	})
}
