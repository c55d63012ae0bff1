package collectorconfig

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/odi-dev/odi/internal/testkit"
)

// An authorizer is an authorization server and the backend that takes its tokens:
// each for two seconds or so, for a token that has ten left is not used.
type authorizer struct {
	server         *httptest.Server
	issued         atomic.Int32
	ends           sync.Map // of each token, when
	spans, refused atomic.Int32
	dead           atomic.Bool
}

func newAuthorizer(t *testing.T) *authorizer {
	t.Helper()
	a := &authorizer{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", a.token)
	mux.HandleFunc("POST /v1/traces", a.traces)
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	return a
}

func (a *authorizer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case a.dead.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.FormValue("grant_type") != "client_credentials" || id != "odi" || secret != "hunter2-hunter2":
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not with %s"}`, secret)
	default:
		token := fmt.Sprintf("Bearer token-%d", a.issued.Add(1))
		a.ends.Store(token, time.Now().Add(12*time.Second))
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":12}`, strings.TrimPrefix(token, "Bearer "))
	}
}

func (a *authorizer) traces(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("Authorization")
	if end, known := a.ends.Load(token); !known || time.Now().After(end.(time.Time)) {
		a.refused.Add(1)
		http.Error(w, "no good token: "+token, http.StatusUnauthorized)
		return
	}
	body, err := bodyOf(r)
	request := ptraceotlp.NewExportRequest()
	if err != nil || request.UnmarshalProto(body) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	a.spans.Add(int32(request.Traces().SpanCount()))
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// signedLane is one with a client of a token endpoint.
func signedLane(t *testing.T, name, endpoint, tokenURL, secret string) (Lane, map[string]string) {
	t.Helper()
	d := destination("odi-system", name, "otlphttp", map[string]string{
		"endpoint": endpoint, "oauth2_token_url": tokenURL, "oauth2_client_id": "odi",
	})
	lane, err := LaneOf(d, "odi-system", map[string]string{"oauth2_client_secret": secret})
	if err != nil {
		t.Fatal(err)
	}
	return lane, map[string]string{CredentialKey(d, "oauth2_client_secret"): secret}
}

// TestTokensAreFetchedAndRenewed while data flows, through a reload, and while a token
// endpoint is dead: then data waits, and that of others does not.
func TestTokensAreFetchedAndRenewed(t *testing.T) {
	a, dead, b := newAuthorizer(t), newAuthorizer(t), newBackend(t)
	b.start(t)
	dead.dead.Store(true)
	good := laneTo(t, "odi-system", "good", b)
	lane, secrets := signedLane(t, "signed", a.server.URL, a.server.URL+"/token", "hunter2-hunter2")
	waits, more := signedLane(t, "waits", dead.server.URL, dead.server.URL+"/token", "hunter2-hunter2")
	wrong, wrongs := signedLane(t, "wrong", a.server.URL, a.server.URL+"/token", "wrong-wrong")
	denied, alsoDenied := signedLane(t, "denied", a.server.URL, "http://127.0.0.2:1/token", "hunter2-hunter2")
	for _, s := range []map[string]string{more, wrongs, alsoDenied} {
		for key, value := range s {
			secrets[key] = value
		}
	}
	g := startGateway(t, secrets, good, lane, waits, wrong, denied)
	sent := 0
	flows := func() {
		t.Helper()
		g.send(t, "shop", 1)
		sent += 100
		testkit.Eventually(t, 20*time.Second, "the others have their data", func() bool {
			return b.got("shop") == sent && int(a.spans.Load()) == sent
		})
	}
	flows()
	for name, want := range map[string]string{
		"waits": "no OAuth2 token: HTTP 503 Service Unavailable", "wrong": "invalid_client: not with ***", "denied": "address not allowed: 127.0.0.2",
	} {
		testkit.Eventually(t, 20*time.Second, "the heartbeat of "+name+" says why", func() bool {
			return strings.Contains(g.metric(`odi_destination_up\{destination="odi-system/`+name+`"`), want)
		})
	}
	before := a.issued.Load()
	testkit.Eventually(t, 20*time.Second, "the token ends, and another is fetched", func() bool { return a.issued.Load() > before+1 })
	flows()
	g.configure(t, lane, waits, good)
	flows()
	if n := dead.spans.Load(); n != 0 {
		t.Errorf("%d spans came without a token", n)
	}
	dead.dead.Store(false)
	testkit.Eventually(t, 30*time.Second, "what waited comes", func() bool { return int(dead.spans.Load()) == sent })
	if n := a.refused.Load(); n > 0 {
		t.Errorf("%d requests had an old token", n)
	}
	if said := g.log.text.String(); strings.Contains(said, "hunter2") || strings.Contains(said, "wrong-wrong") || strings.Contains(said, "token-") {
		t.Error("the gateway's log has a secret")
	}
}
