package bpf_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// TestSessionsOverMemory: programs that move the ciphertext by themselves. Every request is seen; whose
// socket it came over is not known, and nothing is claimed of it.
func TestSessionsOverMemory(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	tests := map[string]struct {
		front, back []string // the program, before its arguments
		spans       int      // for each request
	}{
		"Node.js asks asyncio": {front: []string{"node", "testdata/tlshop.js"}, back: []string{"python3", "testdata/tlsasync.py"}, spans: 3},
		"Node.js asks in the handshake": {
			front: []string{"node", "testdata/tlsatonce.js"}, back: []string{"python3", "testdata/tlsasync.py"}, spans: 3,
		},
		"asyncio": {front: []string{"python3", "testdata/tlsasync.py"}, spans: 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			next, pids := "-", []uint32{}
			for _, kind := range [][]string{tc.back, tc.front} {
				if kind == nil {
					continue
				}
				addr := loopback.Address(t)
				pids = append(pids, start(t, addr, kind[0], kind[1], addr, next, cert, key))
				next = "https://" + addr
			}
			r := record(t, pids...)
			roomtest.AwaitTLS(t, r.engine, pids...)
			for _, width := range []int{1, 10, 100} {
				t.Run(fmt.Sprint(width), func(t *testing.T) {
					r.reset()
					const n = 500
					stormWith(t, tlsClient(t, cert, width), next+"/memory", n, width)
					spans := r.waitFor(tc.spans * n)
					judge(t, spans)
					seen := map[string]int{}
					for _, s := range spans {
						seen[s.path]++
						if !s.TLS || s.StatusCode != http.StatusOK || s.Peer.IsValid() || s.Local.IsValid() || s.Error != probe.ErrorNone {
							t.Fatalf("%+v", s)
						}
					}
					for i := range n {
						if path := fmt.Sprintf("/memory%d", i); seen[path] != tc.spans {
							t.Errorf("%s: %d spans, want %d (lost: %v)", path, seen[path], tc.spans, r.engine.Drops())
						}
					}
				})
			}
		})
	}
}
