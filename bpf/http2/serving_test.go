package http2_test

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
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
			if len(f.served) < 2500 || j.made < 5000 || j.wrong > 0 || float64(j.linked) < 0.99*float64(j.made-j.givenUp) || j.own < 300 {
				t.Errorf("of %d requests %d are linked, %d to the wrong one; %d were served", j.made, j.linked, j.wrong, len(f.served))
			}
		})
	}
}

// TestChain: a request by HTTP/1 that becomes a call, another call, and a request by HTTP/1 is
// one trace through four processes, by the number in its path.
func TestChain(t *testing.T) {
	bin, next := peer(t), "127.0.0.1:"+loopback.Port(t)
	started(t, program.Command(t, bin, "http-server", next))
	listens(t, next)
	f := &family{served: map[string]probe.Exchange{}, made: map[string]probe.Exchange{}}
	var all []*exec.Cmd
	for _, kind := range []string{"grpc-serving", "grpc-passing", "grpc-quiet-hop"} {
		addr := "127.0.0.1:" + loopback.Port(t)
		all = append(all, started(t, program.Command(t, bin, kind, addr, next)))
		listens(t, addr)
		next = addr
	}
	e := roomtest.Load(t, f.add)
	for _, cmd := range all {
		if err := e.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Propagate: true, Children: true}); err != nil {
			t.Fatal(err)
		}
	}
	for parallel, least := range map[int]int{1: 490, 10: 480, 100: 300} { // where many calls leave at once, some have no header
		roomtest.Ask(t, 500, parallel, fmt.Sprintf("http://%s/1/%d/", next, parallel))
		time.Sleep(time.Second)
		whole, apart, wrong := f.judgeChain(parallel)
		t.Logf("%d at a time: %d are one trace, %d are not, %d are another's; losses %v", parallel, whole, apart, wrong, e.Drops())
		if whole < least || whole+apart != 500 || wrong > 0 {
			t.Errorf("%d at a time: of 500 %d are one trace, %d have another's", parallel, whole, wrong)
		}
	}
	if j := f.judge(); j.wrong > 0 || float64(j.linked) < 0.99*float64(j.made) {
		t.Errorf("%+v", j)
	}
}

// judgeChain counts the first requests of a chain in whose trace the last one is, those whose
// trace ends before, and those whose last one is in the trace of another.
func (f *family) judgeChain(parallel int) (whole, apart, wrong int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	begins := map[[16]byte]string{}
	for path, x := range f.served {
		if strings.HasPrefix(path, "/1/") {
			begins[x.TraceID] = path
		}
	}
	for path, x := range f.made {
		parts := strings.Split(strings.TrimSuffix(path, "/0/0/0"), "/")
		if !strings.HasPrefix(path, "/200/200") || parts[len(parts)-2] != strconv.Itoa(parallel) {
			continue
		}
		begin := fmt.Sprintf("/1/%d/%s", parallel, parts[len(parts)-1])
		switch begins[x.TraceID] {
		case begin:
			whole++
		case "":
			apart++
		default:
			wrong++
		}
	}
	return whole, apart, wrong
}
