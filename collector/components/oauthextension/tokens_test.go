package oauthextension

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An issuer gives out token-1, token-2 and so on, each for some seconds.
type issuer struct {
	issued  atomic.Int32
	seconds int
	wait    chan struct{} // nil for none
}

// ServeHTTP implements http.Handler.
func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if i.wait != nil {
		<-i.wait
	}
	if r.FormValue("grant_type") != "client_credentials" || r.FormValue("audience") != "ingest" {
		http.Error(w, "what?", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":%d}`, i.issued.Add(1), i.seconds)
}

func tokensOf(t *testing.T, handler http.Handler) *tokens {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := &Config{TokenURL: server.URL, ClientID: "odi", ClientSecret: "hunter2-hunter2", Audience: "ingest"}
	tokens := newTokens(c, server.Client(), func(string) {})
	t.Cleanup(tokens.end)
	return tokens
}

// TestATokenIsFetchedOnce for all who wait, and again shortly before its end.
func TestATokenIsFetchedOnce(t *testing.T) {
	i := &issuer{seconds: 3600, wait: make(chan struct{})}
	tokens := tokensOf(t, i)
	var waiting sync.WaitGroup
	for range 50 {
		waiting.Go(func() {
			if token, err := tokens.get(t.Context()); err != nil || token.AccessToken != "token-1" {
				t.Errorf("got %v, %v", token, err)
			}
		})
	}
	close(i.wait)
	waiting.Wait()
	tokens.token.Expiry = time.Now().Add(5 * time.Second)
	if token, err := tokens.get(t.Context()); err != nil || token.AccessToken != "token-2" {
		t.Errorf("got %v, %v, want another token", token, err)
	}
}

// TestARequestWaitsNoLongerThanItMay for a token endpoint that says nothing.
func TestARequestWaitsNoLongerThanItMay(t *testing.T) {
	i := &issuer{wait: make(chan struct{})}
	tokens := tokensOf(t, i)
	t.Cleanup(func() { close(i.wait) }) // Before the server's end, which waits for it.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := tokens.get(ctx)
	if err == nil || !strings.HasPrefix(err.Error(), noToken) || time.Since(begin) > fetchTimeout/2 {
		t.Errorf("got %v after %s", err, time.Since(begin))
	}
	tokens.end()
	if _, err := tokens.get(t.Context()); err == nil || time.Since(begin) > fetchTimeout/2 {
		t.Errorf("at the end: got %v after %s", err, time.Since(begin))
	}
}

// refusing is a backend that takes only the second token.
func refusing(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || string(body) != "data" || r.Header.Get("Authorization") != "Bearer token-2" {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// TestATokenThatWasWithdrawnIsReplaced once, and a new one is not.
func TestATokenThatWasWithdrawnIsReplaced(t *testing.T) {
	for name, tc := range map[string]struct {
		age        time.Duration
		want       int
		wantIssued int32
	}{
		"an old one": {age: youngest, want: http.StatusOK, wantIssued: 2},
		"a new one":  {want: http.StatusUnauthorized, wantIssued: 1},
	} {
		t.Run("HTTP, "+name, func(t *testing.T) {
			i := &issuer{seconds: 3600}
			tokens := tokensOf(t, i)
			backend := httptest.NewServer(http.HandlerFunc(refusing))
			t.Cleanup(backend.Close)
			if _, err := tokens.get(t.Context()); err != nil {
				t.Fatal(err)
			}
			tokens.now = func() time.Time { return time.Now().Add(tc.age) }
			client := http.Client{Transport: signed{tokens: tokens, next: http.DefaultTransport}}
			response, err := client.Post(backend.URL, "text/plain", strings.NewReader("data"))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close() // Its status is all.
			if response.StatusCode != tc.want || i.issued.Load() != tc.wantIssued {
				t.Errorf("got %d with %d tokens", response.StatusCode, i.issued.Load())
			}
		})
		t.Run("gRPC, "+name, func(t *testing.T) {
			i := &issuer{seconds: 3600}
			tokens := tokensOf(t, i)
			if _, err := tokens.get(t.Context()); err != nil {
				t.Fatal(err)
			}
			tokens.now = func() time.Time { return time.Now().Add(tc.age) }
			err := tokens.unary(t.Context(), "", nil, nil, nil, func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
				sent, _ := metadata.FromOutgoingContext(ctx)
				if fmt.Sprint(sent[header]) == "[Bearer token-2]" {
					return nil
				}
				return status.Error(codes.Unauthenticated, "")
			})
			if (err == nil) != (tc.want == http.StatusOK) || i.issued.Load() != tc.wantIssued {
				t.Errorf("got %v with %d tokens", err, i.issued.Load())
			}
		})
	}
}

// TestWithoutATokenDataWaits: the backend did not refuse it.
func TestWithoutATokenDataWaits(t *testing.T) {
	tokens := tokensOf(t, http.NotFoundHandler())
	err := tokens.unary(t.Context(), "", nil, nil, nil, nil)
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), noToken+"HTTP 404 Not Found: 404 page not found") {
		t.Errorf("got %v", err)
	}
}

// TestATokenEndpointThatRefusesIsLeftAlone for some seconds; one in trouble is not.
func TestATokenEndpointThatRefusesIsLeftAlone(t *testing.T) {
	for status, want := range map[int]int32{http.StatusUnauthorized: 2, http.StatusServiceUnavailable: 4} { // An attempt asks twice.
		var asked atomic.Int32
		tokens := tokensOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(status)
		}))
		for range 2 {
			if _, err := tokens.get(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprint(status)) {
				t.Errorf("got %v, want %d", err, status)
			}
		}
		if got := asked.Load(); got != want {
			t.Errorf("%d: it was asked %d times, want %d", status, got, want)
		}
		tokens.now = func() time.Time { return time.Now().Add(quiet) }
		if _, err := tokens.get(t.Context()); err == nil || asked.Load() != want+2 {
			t.Errorf("%d: it is never asked again: %v", status, err)
		}
	}
}

// TestWordsHaveNoSecret however the server says it again.
func TestWordsHaveNoSecret(t *testing.T) {
	w := newWords(&Config{ClientID: "odi", ClientSecret: "hunter2+hunter2"})
	for _, body := range []string{"hunter2+hunter2", "client_secret=hunter2%2Bhunter2", "Basic " + Basic("odi", "hunter2+hunter2")} {
		err := w.explain(&oauth2.RetrieveError{Response: &http.Response{StatusCode: 400}, Body: []byte("<b>\n" + body + "</b>")})
		if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, Basic("odi", "hunter2+hunter2")) || !strings.Contains(text, "***") {
			t.Errorf("%s is said: %v", body, err)
		}
	}
}
