package bpf_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// TestSessionsThatAreResumed: a handshake that is shortened by a ticket begins a session as any.
func TestSessionsThatAreResumed(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	addr := loopback.Address(t)
	server := start(t, addr, "python3", "testdata/tlshop.py", addr, "-", cert, key)
	r := record(t, server)
	roomtest.AwaitTLS(t, r.engine, server)
	for version, name := range map[uint16]string{tls.VersionTLS12: "TLS 1.2", tls.VersionTLS13: "TLS 1.3"} {
		for _, width := range []int{1, 10, 100} {
			t.Run(fmt.Sprint(name, " ", width), func(t *testing.T) {
				client := tlsClient(t, cert, width)
				transport := client.Transport.(*http.Transport)
				transport.DisableKeepAlives = true
				transport.TLSClientConfig.MaxVersion = version
				transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
				get(t, client, "https://"+addr+"/ticket")
				r.waitFor(1)
				r.reset()
				const n = 300
				stormWith(t, client, "https://"+addr+"/resumed", n, width)
				wantOnce(t, r, n, true)
				resp, err := client.Get("https://" + addr + "/last")
				if err != nil || !resp.TLS.DidResume {
					t.Fatalf("the session was not resumed: %v", err)
				}
				_ = resp.Body.Close()
				r.waitFor(n + 1)
			})
		}
	}
}

// askOver sends a request over a connection and reads its answer.
func askOver(t *testing.T, conn net.Conn, path string) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 64), nil)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	_ = resp.Body.Close()
}

// TestConnectionsThatTurn: what follows on the connection of a session is never taken for what was in it: plain
// bytes behind its end, and what a child sends and reads that was forked with the session. What is not sure there is not seen.
func TestConnectionsThatTurn(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	addr := loopback.Address(t)
	server := start(t, addr, "python3", "testdata/tlsturns.py", addr, cert, key)
	r := record(t, server)
	roomtest.AwaitTLS(t, r.engine, server)
	config := tlsClient(t, cert, 1).Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "127.0.0.1"
	for turn, n := range map[string]int{"plain": 100, "fork": 30} {
		t.Run(turn, func(t *testing.T) {
			r.reset()
			for i := range n {
				raw, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				_ = raw.SetDeadline(time.Now().Add(10 * time.Second))
				conn := tls.Client(raw, config)
				askOver(t, conn, fmt.Sprintf("/%s%d", turn, i))
				if turn == "plain" {
					if err := conn.CloseWrite(); err != nil {
						t.Fatal(err)
					}
					if _, err := conn.Read(make([]byte, 1)); err == nil { // its close_notify
						t.Fatal("it says more")
					}
					_ = raw.SetDeadline(time.Now().Add(10 * time.Second)) // CloseWrite has set another
					askOver(t, raw, fmt.Sprintf("/after%d", i))
				} else {
					askOver(t, conn, fmt.Sprintf("/after%d", i))
				}
				_ = raw.Close()
			}
			seen := map[string]int{}
			for _, s := range r.waitFor(n) {
				seen[s.path]++
				if s.Kind != probe.Server || s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
					t.Errorf("%+v", s)
				}
			}
			after := 0
			for i := range n {
				if k := fmt.Sprintf("/%s%d", turn, i); seen[k] != 1 {
					t.Errorf("%s is seen %d times (lost: %v)", k, seen[k], r.engine.Drops())
				}
				if seen[fmt.Sprintf("/after%d", i)] > 1 {
					t.Errorf("/after%d is seen %d times", i, seen[fmt.Sprintf("/after%d", i)])
				}
				after += seen[fmt.Sprintf("/after%d", i)]
			}
			t.Logf("of %d requests that follow %d are seen", n, after)
		})
	}
}
