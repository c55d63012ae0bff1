package run

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestNoPropagation has a client ask a server, once with the flag and once without.
func TestNoPropagation(t *testing.T) {
	testkit.NeedRoot(t)
	var written atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" {
			written.Add(1)
		}
	}))
	defer server.Close()
	for _, c := range []struct {
		flags []string
		want  int64
	}{
		{nil, 3},
		{[]string{"--no-propagation"}, 0},
	} {
		written.Store(0)
		args := append([]string{"-o", "json"}, c.flags...)
		o := startODI(t, nil, append(args, "--", "curl", "--silent", server.URL+"/1", server.URL+"/2", server.URL+"/3")...)
		if code := o.wait(); code != 0 {
			t.Fatalf("exit code %d\n%s", code, o.err.String())
		}
		if got := written.Load(); got != c.want {
			t.Errorf("%v: %d of 3 requests have a header, want %d", c.flags, got, c.want)
		}
		if got := strings.Count(o.out.String(), `"url.full"`); got != 3 {
			t.Errorf("%v: %d spans of 3 requests\n%s", c.flags, got, o.out.String())
		}
	}
}
