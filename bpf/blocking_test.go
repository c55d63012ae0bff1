package bpf_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestBlockingCalls runs a program that waits for answers in a recv that blocks,
// without a time-out, and is interrupted: it sees what it would see without odi, and
// its requests get their headers, also once the connection was out of the map.
func TestBlockingCalls(t *testing.T) {
	needRoot(t)
	tests := map[string]struct {
		signal syscall.Signal
		body   int
	}{
		"a signal that programs handle to go on":  {syscall.SIGALRM, 10},
		"another of the kind":                     {syscall.SIGTERM, 10},
		"a real-time signal":                      {syscall.Signal(40), 10},
		"an upload that fills the send buffer":    {syscall.SIGUSR2, 8 << 20},
		"a part of the send buffer, and a signal": {syscall.SIGUSR1, 100_000},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var all, bare atomic.Int64
			slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				all.Add(1)
				if r.Header.Get("traceparent") == "" {
					bare.Add(1)
				}
				_, _ = io.Copy(io.Discard, r.Body)
				time.Sleep(200 * time.Millisecond)
			}))
			defer slow.Close()
			r := record(t)
			cmd := program.Command(t, "sh", "-c", "read x; exec python3 testdata/wait.py $0 $1 $2",
				strings.TrimPrefix(slow.URL, "http://"), fmt.Sprint(int(tc.signal)), fmt.Sprint(tc.body))
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if err := r.engine.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Propagate: true}); err != nil {
				t.Fatal(err)
			}
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			if all.Load() != 3 || bare.Load() > 0 {
				t.Errorf("%d of %d requests came without header", bare.Load(), all.Load())
			}
		})
	}
}
