package bpf_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// TestEndsOverTLS: answers that end with their connection, or not at all, seen by both sides. In the end
// nothing is kept of any session.
func TestEndsOverTLS(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	type end struct {
		Status uint16
		Body   int64
		Error  string
	}
	tests := []struct {
		path           string
		client, server end
		more           []string // for curl
	}{
		{path: "until-close", client: end{200, 5000, ""}, server: end{200, 5000, ""}},
		{path: "pieces", client: end{200, 5000, ""}, server: end{200, 5000, ""}},
		{path: "cut", client: end{200, 50, ""}, server: end{200, 50, "connection_closed"}},
		{path: "nothing", client: end{0, -1, "connection_closed"}, server: end{0, -1, "connection_closed"}},
		{path: "slow", client: end{200, 50, ""}, server: end{200, 50, "connection_closed"}, more: []string{"--max-time", "0.5"}},
		{path: "reset", client: end{0, -1, "connection_reset"}, server: end{0, -1, "connection_closed"}},
		{path: "die", client: end{0, -1, "connection_closed"}, server: end{0, -1, "connection_closed"}},
	}
	for _, tc := range tests {
		t.Run(tc.path, func(t *testing.T) {
			addr := loopback.Address(t)
			server := start(t, addr, "python3", "testdata/tlsends.py", addr, cert, key)
			client, finish := startCurl(t, append(tc.more, "--cacert", cert, "-o", "/dev/null", fmt.Sprintf("https://%s/%s[1-20]", addr, tc.path))...)
			r := record(t, server, client)
			roomtest.AwaitTLS(t, r.engine, server, client)
			finish()
			wantServer := 20
			if tc.path == "die" {
				wantServer = 1
			}
			got, want := map[probe.Kind]map[end]int{}, map[probe.Kind]map[end]int{
				probe.Server: {tc.server: wantServer}, probe.Client: {tc.client: wantServer},
			}
			for _, s := range r.waitFor(2 * wantServer) {
				if got[s.Kind] == nil {
					got[s.Kind] = map[end]int{}
				}
				got[s.Kind][end{s.StatusCode, s.ResponseBodySize, s.Error.String()}]++
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("losses %v (-want +got):\n%s", r.engine.Drops(), diff)
			}
			r.engine.SweepSessions()
			for name, n := range r.engine.SessionEntries() {
				if n != 0 {
					t.Errorf("%d entries are left in %s", n, name)
				}
			}
		})
	}
}
