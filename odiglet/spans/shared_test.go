package spans

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
)

// TestNothingIsKeptOfTheEnginesMemory: the engine reads the next request to where
// the one before was. Two pipelines see the same requests; where the memory of each
// is overwritten at once, spans, metrics, routes and books say the same.
func TestNothingIsKeptOfTheEnginesMemory(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	tell := func(overwrite bool) []string {
		of, asked := someOrigin(), someOrigin()
		of.Service.InstanceID, asked.Service.InstanceID = "a", "b"
		asked.Handover = &handover.Process{}
		accounts, recorder, book, sink := books.New(), red.NewRecorder(start), routes.NewBook(), &keeper{}
		recorder.Add(of.Service.Key(), of.Resource)
		recorder.Add(asked.Service.Key(), asked.Resource)
		p := New(Options{Origins: origins{1: of, 2: asked}, Recorder: recorder, Books: accounts, Routes: book, Protocols: rooms(), Sink: sink})
		random := rand.New(rand.NewPCG(7, 7))
		for range 3000 {
			x := anyRequest(random)
			p.Handle(&x)
			if overwrite {
				for i := range x.RequestHead {
					x.RequestHead[i] = '~'
				}
				x = probe.Exchange{}
			}
		}
		p.Flush()
		metrics, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(recorder.Collect(start.Add(time.Second)))
		if err != nil {
			t.Fatal(err)
		}
		said := []string{string(metrics), fmt.Sprint(book.List(routes.Service{Namespace: of.Service.Namespace, Name: of.Service.Name})), fmt.Sprint(accounts.Balance(nil))}
		for _, b := range sink.batches {
			said = append(said, string(b.Body))
		}
		return said
	}
	kept, overwritten := tell(false), tell(true)
	if diff := cmp.Diff(kept, overwritten); diff != "" {
		t.Errorf("what is said depends on the engine's memory (-kept +overwritten):\n%.2000s", diff)
	}
	if !bytes.Contains([]byte(kept[1]), []byte("/orders/{id}")) || len(kept) < 4 {
		t.Errorf("the requests show little: %.500s", kept[1:])
	}
}

// anyRequest is one of many methods, paths, hosts and agents, of both sides.
func anyRequest(random *rand.Rand) probe.Exchange {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	x := request(1+uint32(random.IntN(2)), "/")
	x.Kind = []probe.Kind{probe.Server, probe.Client}[random.IntN(2)]
	x.StatusCode = []uint16{200, 302, 404, 500}[random.IntN(4)]
	path := fmt.Sprintf("/%s/%d%s", pick("orders", "users", "carts"), random.IntN(1000), pick("", "?page=2", "?token=x&y", "/items"))
	x.RequestHead = fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: h%d:%s\r\nUser-Agent: %s\r\nX-Forwarded-For: 10.0.0.%d\r\n\r\n",
		pick("GET", "POST", "FROB"), path, random.IntN(300), pick("80", "8080"), pick("curl", "wget\xff"), random.IntN(9))
	return x
}
