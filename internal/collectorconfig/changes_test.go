package collectorconfig

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestTwentyChangesInterruptNobody adds, changes and removes destinations beside one that works, among them some
// whose backends are away, while 1,000 spans a second come in: the node collector refuses none, and the
// backend of the one that works has each exactly once.
func TestTwentyChangesInterruptNobody(t *testing.T) {
	c := startChain(t)
	away := newBackend(t)
	l := startLoad(t, c.odiglet(t), 100, 10)
	begin := time.Now()
	for change := range 20 {
		lanes := []Lane{laneTo(t, "odi-system", "all", c.backend)}
		switch change % 4 {
		case 0: // One is added.
			lanes = append(lanes, laneTo(t, "shop", fmt.Sprintf("d%d", change), away))
		case 1: // Its address changes.
			lanes = append(lanes, laneOf(t, destination("shop", fmt.Sprintf("d%d", change-1), "otlp", map[string]string{"endpoint": "http://127.0.0.1:1"})))
		case 2: // Others come at once.
			lanes = append(lanes, laneTo(t, "shop", "a", away), laneOf(t, destination("odi-system", "log", "debug", nil)))
		}
		config := gateway(t, lanes...)
		c.gateway.use(t, config)
		testkit.Eventually(t, 30*time.Second, "the gateway has it", func() bool {
			return c.gateway.healthy() && strings.Contains(c.gateway.metric("target_info"), config.ConfigHash())
		})
	}
	took := time.Since(begin)
	want := l.end()
	testkit.Eventually(t, 30*time.Second, "all is there", func() bool { return c.backend.got("shop") >= want })
	time.Sleep(500 * time.Millisecond) // Is there more than all?
	if got := c.backend.got("shop"); got != want {
		t.Errorf("%d spans were taken, %d arrived", want, got)
	}
	if refused := l.refused.Load(); refused > 0 {
		t.Errorf("the node collector refused %d batches", refused)
	}
	if rate := float64(want) / took.Seconds(); rate < 500 {
		t.Errorf("only %.0f spans a second came in", rate)
	}
	t.Logf("%d spans in %s, %.0f a second, through 20 changes", want, took.Round(time.Second), float64(want)/took.Seconds())
}
