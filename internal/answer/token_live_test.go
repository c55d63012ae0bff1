package answer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/answer"
)

// aClient is what a destination of these tests signs in with.
const (
	clientID     = "odi gateway"
	clientSecret = "hunter2+/%:hunter2" // What each of the two ways to send it escapes.
	accessToken  = "t0ken-4f6a2b91c3"
)

// tokenEndpoint is a server that knows one client, as RFC 6749 says.
func tokenEndpoint(t *testing.T) string {
	t.Helper()
	return overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, basic := r.BasicAuth()
		if !basic {
			id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
		}
		complain := func(status int, name, text string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": name, "error_description": text}) // The test sees what arrived.
		}
		escaped := strings.NewReplacer(" ", "+", "+", "%2B", "/", "%2F", "%", "%25", ":", "%3A")
		switch {
		case r.Method != http.MethodPost || r.FormValue("grant_type") != "client_credentials":
			complain(400, "unsupported_grant_type", "")
		case basic && (id != escaped.Replace(clientID) || secret != escaped.Replace(clientSecret)), !basic && (id != clientID || secret != clientSecret):
			complain(401, "invalid_client", "no client "+id+" with the secret "+secret)
		case r.FormValue("scope") != "write:traces write:logs":
			complain(400, "invalid_scope", "not allowed: "+r.FormValue("scope"))
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":60}`, accessToken)
		}
	}))
}

// signing is a destination with a client of a token endpoint.
func (a asking) signing(tokenURL string, more map[string]string) asking {
	config := map[string]string{"oauth2_token_url": tokenURL, "oauth2_client_id": clientID, "oauth2_scopes": "write:traces write:logs"}
	secret := clientSecret
	for key, value := range more {
		if key == "oauth2_client_secret" {
			secret = value
			continue
		}
		config[key] = value
	}
	return a.with(config, map[string]string{"oauth2_client_secret": secret})
}

// TestFetching: a token endpoint's trouble is told from the backend's, over HTTP and gRPC.
func TestFetching(t *testing.T) {
	other := func(secret string) map[string]string { return map[string]string{"oauth2_client_secret": secret} }
	for kind, backend := range map[string]func(*testing.T) asking{
		"HTTP": func(t *testing.T) asking { return otlphttp(overHTTP(t, says(200, ""))) },
		"gRPC": func(t *testing.T) asking {
			address, _ := overGRPC(t, nil, nil)
			return otlp("http://" + address)
		},
	} {
		tellAll(t, map[string]story{
			kind + ", another secret": {func(t *testing.T) asking { return backend(t).signing(tokenEndpoint(t), other("wrong-wrong")) },
				answer.StepToken, "gives no token (401, invalid_client)", "HTTP 401 Unauthorized: invalid_client: no client odi gateway with the secret ***", "compare oauth2_client_id"},
			kind + ", another scope": {func(t *testing.T) asking {
				return backend(t).signing(tokenEndpoint(t), map[string]string{"oauth2_scopes": "write:all"})
			}, answer.StepToken, "gives no token (400, invalid_scope)", "invalid_scope: not allowed: write:all", `oauth2_scopes is "write:all"`},
			kind + ", a closed port": {func(t *testing.T) asking { return backend(t).signing("http://"+closedPort(t)+"/token", nil) },
				answer.StepToken, "gives no token: connection refused", "connect: connection refused", "reach the token endpoint, too"},
			kind + ", a port that says nothing": {func(t *testing.T) asking { return backend(t).signing("http://"+silentPort(t), nil) },
				answer.StepToken, "gives no token: no answer in time", "context deadline exceeded", "reach the token endpoint, too"},
			kind + ", a denied address": {func(t *testing.T) asking { return backend(t).signing("http://127.0.0.2:1/token", nil) },
				answer.StepToken, "gives no token: odi sends nothing to this address", "address not allowed: 127.0.0.2", "allowedAddresses"},
			kind + ", a redirect to a denied one": {func(t *testing.T) asking {
				return backend(t).signing(overHTTP(t, says(307, "", "Location", "http://169.254.169.254/latest/meta-data")), nil)
			}, answer.StepToken, "gives no token: it answers with a redirect", "redirects are not followed", "token_endpoint"},
			kind + ", a web page": {func(t *testing.T) asking {
				return backend(t).signing(overHTTP(t, says(200, "<html>Sign in</html>", "Content-Type", "text/html")), nil)
			}, answer.StepToken, "there is none in its answer", "cannot parse json", "/.well-known/openid-configuration"},
			kind + ", another path": {func(t *testing.T) asking {
				return backend(t).signing(overHTTP(t, says(404, "no such page", "Content-Type", "text/html")), nil)
			}, answer.StepToken, "gives no token (404)", "HTTP 404 Not Found: no such page", "token_endpoint"},
			kind + ", trouble": {func(t *testing.T) asking {
				return backend(t).signing(overHTTP(t, says(503, "starting", "Content-Type", "text/html")), nil)
			}, answer.StepToken, "gives no token (503)", "HTTP 503 Service Unavailable: starting", "trouble of its own"},
		})
	}
}

// TestATokenSignsIn over HTTP and gRPC, and no output has it: the backend repeats what it got.
func TestATokenSignsIn(t *testing.T) {
	backend := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); r.URL.Path != "/v1/logs" && got == "Bearer "+accessToken {
			return
		}
		http.Error(w, "what is "+r.Header.Get("Authorization")+"?", http.StatusForbidden)
	})
	a := otlphttp(overHTTP(t, backend)).signing(tokenEndpoint(t), nil)
	_, findings := a.findings(t)
	if len(findings) != 3 || !findings[0].Accepted || !findings[1].Accepted || findings[2].Accepted {
		t.Errorf("got %+v", findings)
	}
	stdout, stderr, err := a.ask(t)
	if err != nil || !strings.Contains(stdout, "what is Bearer ***?") {
		t.Errorf("%v: %s%s", err, stdout, stderr)
	}
	for _, secret := range append(forms(clientSecret), accessToken) {
		if strings.Contains(stdout+stderr, secret) {
			t.Errorf("%q is said:\n%s%s", secret, stdout, stderr)
		}
	}
}
