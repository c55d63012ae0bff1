package bpf_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// TestProgramsThatAskFIONREAD traces programs that ask how much there is before
// they read: none may wait in vain, and their requests carry the header too.
func TestProgramsThatAskFIONREAD(t *testing.T) {
	needRoot(t)
	for _, kind := range []string{"poll", "edge"} {
		t.Run(kind, func(t *testing.T) {
			base, pids := chain(t, kind, "direct")
			client := &http.Client{Timeout: 20 * time.Second}
			get(t, client, base+"/before") // leaves a connection open that is adopted
			r := record(t, pids...)
			for i := range 50 {
				get(t, client, fmt.Sprintf("%s/m%d?size=%d", base, i, 1<<(i%18)))
			}
			client.CloseIdleConnections()
			body := get(t, client, base+"/last") // on a new connection
			var last span
			for _, s := range r.waitFor(3 * 51) {
				if s.Kind == probe.Client && s.path == "/last" {
					last = s
				}
			}
			if want := fmt.Sprintf("[00-%x-%x-01]", last.TraceID, last.SpanID); !strings.Contains(body, want) {
				t.Errorf("the next hop saw %q, want %s", body, want)
			}
		})
	}
}
