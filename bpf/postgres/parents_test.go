package postgres_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/odi-dev/odi/bpf/postgres"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// kin keeps requests that were served and statements that were asked for, by the name of a table.
type kin struct {
	mu     sync.Mutex
	served map[string]probe.Exchange
	asked  map[string]probe.Exchange
}

func (k *kin) add(x *probe.Exchange) {
	var span probe.Span
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range protocols.All() {
		if p.Code == x.Protocol {
			p.Decode(x, &span)
		}
	}
	switch {
	case x.Protocol != postgres.Protocol.Code && x.Kind == probe.Server:
		k.served[strings.Clone(span.Path.Text[strings.LastIndexByte(span.Path.Text, '/')+1:])] = *x
	case x.Protocol == postgres.Protocol.Code && x.Kind == probe.Client:
		k.asked[strings.Clone(roomtest.Text(&span, "db.collection.name"))] = *x
	}
}

// judge counts the statements of requests, those that are children of theirs, those of nobody's,
// and those with a parent that is not theirs.
func (k *kin) judge() (asked, linked, own, wrong int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for table, x := range k.asked {
		up, isAsked := k.served[table]
		if isAsked {
			asked++
		} else {
			own++
		}
		switch {
		case x.Link == probe.LinkNone:
		case isAsked && x.ParentSpanID == up.SpanID && x.TraceID == up.TraceID:
			linked++
		default:
			wrong++
		}
	}
	return asked, linked, own, wrong
}

// getter asks a server of a kind.
func getter(t *testing.T, kind, addr string) func(table string) error {
	if kind == "grpc" {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return func(table string) error {
			return conn.Invoke(context.Background(), "/odi.test.Tables/"+table, wrapperspb.String(table), new(wrapperspb.StringValue))
		}
	}
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &p}}
	t.Cleanup(client.CloseIdleConnections)
	return func(table string) error {
		answer, err := client.Get("http://" + addr + "/" + table)
		if err == nil {
			_ = answer.Body.Close()
		}
		return err
	}
}

// TestParents: the statements of Go's handlers of HTTP/2 and of gRPC are children of the requests
// that these serve, however many are under way on the connection; those of a timer have no parent.
func TestParents(t *testing.T) {
	port, _ := startServer(t)
	binary := t.TempDir() + "/handlers"
	if out, err := program.Command(t, "go", "build", "-o", binary, "./testdata/handlers").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, kind := range []string{"http", "grpc"} {
		t.Run(kind, func(t *testing.T) {
			addr := "127.0.0.1:" + loopback.Port(t)
			server := program.Command(t, binary, kind, addr, "postgres://postgres@127.0.0.1:"+port+"/postgres?sslmode=disable")
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = server.Process.Kill()
				_ = server.Wait()
			})
			awaitServer(t, addr)
			k := &kin{served: map[string]probe.Exchange{}, asked: map[string]probe.Exchange{}}
			s := roomtest.Watch(t, postgres.Protocol, k.add)
			s.Target(t, server)
			get := getter(t, kind, addr)
			for times, parallel := range map[int]int{100: 1, 300: 10, 500: 100} {
				askAll(t, get, times, parallel)
			}
			time.Sleep(2 * time.Second) // the timer goes on
			asked, linked, own, wrong := k.judge()
			t.Logf("%d statements of requests, %d linked, %d of a timer, %d wrong; losses %v", asked, linked, own, wrong, s.Engine.Drops())
			if asked != 900 || linked < 890 || own < 50 || wrong > 0 {
				t.Errorf("of 900 statements %d are linked, %d to the wrong one", linked, wrong)
			}
		})
	}
}

// awaitServer waits for one that a test has started.
func awaitServer(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not listen")
		}
	}
}

func askAll(t *testing.T, get func(string) error, times, parallel int) {
	t.Helper()
	tables := make(chan string, times)
	for i := range times {
		tables <- fmt.Sprintf("t_%d_%d", parallel, i)
	}
	close(tables)
	var work sync.WaitGroup
	for range parallel {
		work.Go(func() {
			for table := range tables {
				if err := get(table); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
}
