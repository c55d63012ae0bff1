package collectorconfig

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestTheGatewayConnectsToNoDeniedAddress has somebody listen where no data may
// go, under an address that the manager would have refused.
func TestTheGatewayConnectsToNoDeniedAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.2:0") // Only 127.0.0.1 is allowed here.
	if err != nil {
		t.Fatal(err)
	}
	var accepted atomic.Int32
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			_ = connection.Close() // That it came is all that matters.
		}
	}()
	t.Cleanup(func() { _ = listener.Close() }) // The goroutine ends with it.
	endpoint := map[string]string{"endpoint": "http://" + listener.Addr().String()}
	b := newBackend(t)
	b.start(t)
	g := startGateway(t, nil, laneTo(t, "odi-system", "good", b),
		laneOf(t, destination("shop", "grpc", "otlp", endpoint)), laneOf(t, destination("shop", "http", "otlphttp", endpoint)))
	g.send(t, "shop", 1)
	for _, name := range []string{"grpc", "http"} {
		testkit.Eventually(t, 20*time.Second, "the heartbeat of "+name+" says why", func() bool {
			return strings.Contains(g.metric(`odi_destination_up\{destination="shop/`+name), "address not allowed")
		})
	}
	testkit.Eventually(t, 10*time.Second, "the good one has its data", func() bool { return b.got("shop") == 100 })
	if n := accepted.Load(); n > 0 {
		t.Errorf("%d connections came", n)
	}
}

// TestServersThatNeverAnswerDoNotHoldUpAReload: exporters end one after the other.
func TestServersThatNeverAnswerDoNotHoldUpAReload(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // Nobody accepts: the kernel does, and no answer comes.
	b := newBackend(t)
	b.start(t)
	good := laneTo(t, "odi-system", "good", b)
	lanes := []Lane{good}
	for _, name := range []string{"a", "b", "c"} {
		for _, kind := range []string{"otlp", "otlphttp"} {
			lanes = append(lanes, laneOf(t, destination("odi-system", kind+name, kind, map[string]string{"endpoint": "http://" + listener.Addr().String()})))
		}
	}
	g := startGateway(t, nil, lanes...)
	g.send(t, "shop", 1)
	testkit.Eventually(t, 10*time.Second, "data is under way to all", func() bool { return b.got("shop") == 100 })
	c := gateway(t, good)
	begin := time.Now()
	g.use(t, c)
	testkit.Eventually(t, 60*time.Second, "the new configuration runs", func() bool {
		return g.healthy() && g.metric(`target_info\{.*`+c.ConfigHash()) != ""
	})
	took := time.Since(begin).Round(100 * time.Millisecond)
	if t.Log(took); took > 7*time.Second {
		t.Errorf("the reload took %s", took)
	}
}
