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
