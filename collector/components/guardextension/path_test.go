package guardextension

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestASecretInAPathIsSentAndNotShown asks a server under such a path, and one that is not there.
func TestASecretInAPathIsSentAndNotShown(t *testing.T) {
	var path string
	var headers http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path, headers = r.URL.Path, r.Header }))
	wrap, err := guardOf(t, map[string]string{allowVariable: "127.0.0.0/8"}).GetHTTPRoundTripper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	transport, err := wrap(t.Context(), http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/otlp/~/v1/traces", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(pathHeader, "s3cret==")
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	if err := ask(); err != nil || path != "/otlp/s3cret==/v1/traces" || headers.Get(pathHeader) != "" {
		t.Errorf("got %v, %s, headers %v", err, path, headers)
	}
	server.Close()
	if err := ask(); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want an error without the secret", err)
	}
}
