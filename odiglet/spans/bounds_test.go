package spans

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/signal"
)

// largestMessage is what receivers take by default.
const largestMessage = 4 << 20

// TestNoWorkloadMakesALargeBatch has forty workers with the largest resources that
// there can be, and their neighbours: no batch is refused for its size, and every
// span is in one.
func TestNoWorkloadMakesALargeBatch(t *testing.T) {
	long := strings.Repeat("\U0001F600", 30_000)
	var attributes strings.Builder
	for i := range 64 {
		fmt.Fprintf(&attributes, "%s%d=%s,", strings.Repeat("k", 250), i, long[:2000])
	}
	env := map[string]string{"OTEL_SERVICE_NAME": long, "OTEL_RESOURCE_ATTRIBUTES": attributes.String()}
	all := origins{}
	for pid := range uint32(80) {
		p := identity.Pod{Namespace: "shop", Name: fmt.Sprint("pod-", pid), Container: "app", WorkloadKind: "Deployment", WorkloadName: "cart"}
		if pid%2 == 0 {
			p.Env = env
		}
		service := identity.OfPod(p)
		all[pid] = &Origin{Service: service, Resource: service.ProcessResource(int(pid), long), Traces: true}
	}
	sink := &keeper{}
	p := New(Options{Origins: all, Recorder: red.NewRecorder(time.Now()), Books: books.New(), Routes: routes.NewBook(), Protocols: rooms(), Sink: sink})
	random := rand.New(rand.NewPCG(1, 2))
	const requests = 5000
	for range requests {
		x := request(uint32(random.IntN(len(all))), "/"+strings.Repeat("x", random.IntN(900)))
		p.Handle(&x)
	}
	p.Flush()
	got, largest := 0, 0
	for _, b := range sink.batches {
		largest = max(largest, len(b.Body))
		got += b.Items
		td, err := signal.ReadTraces(b)
		if err != nil || td.SpanCount() != b.Items {
			t.Fatalf("a batch of %d spans has %d: %v", b.Items, td.SpanCount(), err)
		}
	}
	if got != requests {
		t.Errorf("%d spans in all batches, want %d", got, requests)
	}
	if largest > largestMessage/2 {
		t.Errorf("the largest of %d batches has %d bytes", len(sink.batches), largest)
	}
	t.Logf("%d batches, the largest of %d bytes", len(sink.batches), largest)
}
