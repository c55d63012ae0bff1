package collectorconfig

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestAReloadUnderLoadWithManyLanes has data come at every moment of a start that
// takes its time. The process that ends with an error fails the test.
func TestAReloadUnderLoadWithManyLanes(t *testing.T) {
	b := newBackend(t)
	b.start(t)
	lanes := []Lane{laneTo(t, "odi-system", "good", b)}
	for n := range 100 {
		lanes = append(lanes, laneTo(t, "odi-system", fmt.Sprintf("d%d", n), b))
	}
	g := startGateway(t, nil, lanes[:90]...)
	ctx, stop := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for ctx.Err() == nil {
				_, _ = g.sender.Export(ctx, claim("shop", 1)) // What is refused shows nothing here.
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	for n := range 3 {
		c := gateway(t, lanes[:len(lanes)-n]...)
		g.use(t, c)
		testkit.Eventually(t, 60*time.Second, "the new configuration runs", func() bool {
			return g.metric(`target_info\{.*`+c.ConfigHash()) != "" && g.healthy()
		})
	}
	stop()
	senders.Wait()
	g.send(t, "bank", 1)
	last := len(lanes) - 2 // The last configuration has so many.
	testkit.Eventually(t, 20*time.Second, "each lane has its data", func() bool { return b.got("bank") == last*100 })
}
