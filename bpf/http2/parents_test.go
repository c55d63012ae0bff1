package http2_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// family keeps the requests of a hop: those that it serves, and those that it makes.
type family struct {
	mu     sync.Mutex
	served map[string]probe.Exchange // by path
	made   map[string]probe.Exchange
}

func (f *family) add(x *probe.Exchange) {
	var span probe.Span
	for _, p := range protocols.All() {
		if p.Code == x.Protocol {
			p.Decode(x, &span)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.Clone(span.Path.Text)
	if x.Kind == probe.Server {
		f.served[path] = *x
	} else {
		f.made[path] = *x
	}
}

// TestParents: what a handler of Go's asks for by HTTP/2 is a child of the request that it
// serves, and never of another one, however many are under way. The goroutine that writes
// the request is one that the library has started for it: where the handler asks from
// goroutines of its own, that one's parent is not known, and no link is made. In gRPC's
// library one goroutine writes for all.
func TestParents(t *testing.T) {
	for kind, linkedMin := range map[string]int{"http": 1350, "grpc": 2900} {
		t.Run(kind, func(t *testing.T) {
			bin, port, next := peer(t), loopback.Port(t), loopback.Port(t)
			started(t, program.Command(t, bin, kind+"-server", "127.0.0.1:"+next))
			listens(t, "127.0.0.1:"+next)
			hop := map[string]string{"http": "hop", "grpc": "grpc-hop"}[kind]
			server := started(t, program.Command(t, bin, hop, "127.0.0.1:"+port, "127.0.0.1:"+next))
			listens(t, "127.0.0.1:"+port)
			f := &family{served: map[string]probe.Exchange{}, made: map[string]probe.Exchange{}}
			e := roomtest.Load(t, f.add)
			if err := e.AddTarget(probe.Target{PID: uint32(server.Process.Pid), Propagate: true, Children: true}); err != nil {
				t.Fatal(err)
			}
			for _, parallel := range []int{1, 10, 100} {
				for _, parts := range []int{1, 3} {
					ask(t, 500, parallel, fmt.Sprintf("http://127.0.0.1:%s/%d/%d", port, parts, parallel))
				}
			}
			time.Sleep(time.Second)
			linked, wrong := f.judge()
			t.Logf("%d requests served, %d made, %d linked, %d wrong; losses %v", len(f.served), len(f.made), linked, wrong, e.Drops())
			if len(f.served) != 3000 || len(f.made) != 6000 || wrong > 0 || linked < linkedMin {
				t.Errorf("of %d requests %d are linked, %d to the wrong one; %d were served", len(f.made), linked, wrong, len(f.served))
			}
		})
	}
}

// judge counts the requests whose parent is the one that was served under their path.
func (f *family) judge() (linked, wrong int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, x := range f.made {
		path = path[strings.IndexByte(path[1:], '/')+1 : strings.LastIndexByte(path, '/')]
		up := f.served[path]
		switch {
		case x.Link == probe.LinkNone:
		case x.ParentSpanID == up.SpanID && x.TraceID == up.TraceID:
			linked++
		default:
			wrong++
		}
	}
	return linked, wrong
}

// ask asks for so many pages below a URL, so many at a time.
func ask(t *testing.T, times, parallel int, url string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}}
	defer client.CloseIdleConnections()
	numbers := make(chan int, times)
	for i := range times {
		numbers <- i
	}
	close(numbers)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for i := range numbers {
				req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("%s/%d", url, i), nil)
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
}
