package http2_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestServing: what a server of Go's asks for while it serves a stream is a child of the
// request that came on it, in the trace that this has brought, and never of another one,
// however many are under way on the connection, given up, or in pieces; what it asks for on its
// own account, or when the answer is gone, has no parent.
func TestServing(t *testing.T) {
	bin := peer(t)
	for kind, client := range map[string]string{"http2-serving": "http-client", "x-serving": "http-client", "grpc-serving": "grpc-client", "grpc-workers": "grpc-client"} {
		t.Run(kind, func(t *testing.T) {
			port, next := loopback.Port(t), loopback.Port(t)
			started(t, program.Command(t, bin, "http-server", "127.0.0.1:"+next))
			listens(t, "127.0.0.1:"+next)
			hop := program.Command(t, bin, kind, "127.0.0.1:"+port, "127.0.0.1:"+next)
			hop.Env = append(hop.Environ(), "GOGC=5") // memory is soon used for something else
			server := started(t, hop)
			listens(t, "127.0.0.1:"+port)
			f := &family{served: map[string]probe.Exchange{}, made: map[string]probe.Exchange{}}
			e := roomtest.Load(t, f.add)
			if err := e.AddTarget(probe.Target{PID: uint32(server.Process.Pid), Propagate: true, Children: true}); err != nil {
				t.Fatal(err)
			}
			for _, parallel := range []int{1, 10, 100} {
				for _, parts := range []int{1, 3} {
					asks := program.Command(t, bin, client, "127.0.0.1:"+port, "500", strconv.Itoa(parallel), fmt.Sprintf("/%d/%d/", parts, parallel))
					runs(t, nil, asks)
				}
			}
			time.Sleep(time.Second)
			j := f.judge()
			t.Logf("%d requests served, %+v; losses %v", len(f.served), j, e.Drops())
			if len(f.served) < 2500 || j.made < 5000 || j.wrong > 0 || float64(j.linked) < 0.97*float64(j.made) || j.own < 300 {
				t.Errorf("of %d requests %d are linked, %d to the wrong one; %d were served", j.made, j.linked, j.wrong, len(f.served))
			}
		})
	}
}
