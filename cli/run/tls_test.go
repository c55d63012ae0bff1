package run

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestACommandThatAsksOnceOverTLS: a command that is over in a moment is seen from its first request on, also
// where a shell starts it, though its library is mapped only after it has begun.
func TestACommandThatAsksOnceOverTLS(t *testing.T) {
	testkit.NeedRoot(t)
	program.Need(t, "curl")
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	curl := "curl -sS -m 30 --insecure " + server.URL + "/first"
	for name, command := range map[string][]string{
		"itself":     {"curl", "-sS", "-m", "30", "--insecure", server.URL + "/first"},
		"by a shell": {"sh", "-c", curl + "; true"},
		"by exec":    {"sh", "-c", "exec " + curl},
	} {
		t.Run(name, func(t *testing.T) {
			o := startODI(t, nil, append([]string{"--"}, command...)...)
			if code := o.wait(); code != 0 {
				t.Fatalf("exit code %d\n%s", code, o.err.String())
			}
			o.prints(`curl +client GET .*/first +200`)
			o.wantBooks("seen 2 = sent 1 + dropped 1 (only_measured 1)") // the other one is its handshake
		})
	}
}
