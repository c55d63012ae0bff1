package collectorconfig

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
)

// notStarting are lanes that the collector builds and does not start. odi's own
// checks refuse them; here they are away, as they are in the checks' next gap.
func notStarting(t *testing.T) map[string]Lane {
	t.Helper()
	lanes := map[string]Lane{}
	for name, change := range map[string]func(map[string]any){
		"a certificate that is none":    func(c map[string]any) { c["tls"].(map[string]any)["ca_pem"] = garbagePEM },
		"an escape that is none":        func(c map[string]any) { c["endpoint"] = "http://%zz:4317" },
		"a middleware that nobody has":  func(c map[string]any) { c["middlewares"] = []any{map[string]any{"id": "no_such"}} },
		"an authenticator of its own":   func(c map[string]any) { c["auth"] = map[string]any{"authenticator": "no_such"} },
		"a certificate file of another": func(c map[string]any) { c["tls"].(map[string]any)["ca_file"] = "/proc/1/environ" },
	} {
		lane := laneOf(t, destination("shop", "bad", "otlp", map[string]string{"endpoint": "https://host:4317"}))
		change(lane.Exporters[0].Config)
		lanes[name] = lane
	}
	return lanes
}

const garbagePEM = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n"

func TestWhatDoesNotStartIsRefused(t *testing.T) {
	v := Validator{Binary: odicollector.Binary(t)}
	for name, lane := range notStarting(t) {
		t.Run(name, func(t *testing.T) {
			err := v.Validate(t.Context(), gateway(t, lane))
			var invalid *InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want a refusal", err)
			}
			t.Log(invalid.Message)
		})
	}
}

// TestAGatewayOutlivesWhatDoesNotStart brings such lanes into a running gateway,
// and starts one with them: the good lane's data flows in the same process.
func TestAGatewayOutlivesWhatDoesNotStart(t *testing.T) {
	b := newBackend(t)
	b.start(t)
	good := laneTo(t, "odi-system", "good", b)
	want := 0
	flows := func(t *testing.T, g *liveGateway) {
		t.Helper()
		g.send(t, "shop", 1)
		want += 100
		testkit.Eventually(t, 20*time.Second, "the good lane's data flows", func() bool { return b.got("shop") == want })
	}
	running := startGateway(t, nil, good)
	flows(t, running)
	for name, lane := range notStarting(t) {
		t.Run(name, func(t *testing.T) {
			running.configure(t, good, lane)
			testkit.Eventually(t, 20*time.Second, "the gateway says what it left out", func() bool {
				return strings.Contains(running.said(), "left out what does not start: otlp_grpc/shop/bad")
			})
			flows(t, running)
			running.configure(t, good)
			running.forget()
			flows(t, running)

			flows(t, startGateway(t, nil, good, lane))
		})
	}
	t.Run("what names no lane", func(t *testing.T) {
		running.write(t, "config.yaml", "receivers: {nothing: {}}\n")
		testkit.Eventually(t, 20*time.Second, "the gateway says that the one before stays", func() bool {
			return strings.Contains(running.said(), "the one before stays")
		})
		flows(t, running)
	})
	t.Run("what is no configuration", func(t *testing.T) {
		running.write(t, "config.yaml", "{{")
		time.Sleep(2500 * time.Millisecond) // Two looks of the gateway, which has nothing to say to it.
		flows(t, running)
	})
}

// said is what a gateway has logged since it was made to forget.
func (g *liveGateway) said() string {
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	return g.log.text.String()[g.log.forgotten:]
}

func (g *liveGateway) forget() {
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	g.log.forgotten = g.log.text.Len()
}

// A processLog is what a process prints, for several readers.
type processLog struct {
	mu        sync.Mutex
	text      bytes.Buffer
	forgotten int
}

// Write implements io.Writer.
func (l *processLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// TestEveryExporterOverANetworkIsGuarded, whatever its room says.
func TestEveryExporterOverANetworkIsGuarded(t *testing.T) {
	for _, sample := range samples(t, true) {
		for id, exporter := range gateway(t, sample.lane).Exporters {
			config := exporter.(object)
			if strings.HasPrefix(id, "debug/") {
				continue
			}
			middlewares, _ := config["middlewares"].([]any)
			if len(middlewares) == 0 || middlewares[len(middlewares)-1].(object)["id"] != "odi_guard" {
				t.Errorf("%s has the middlewares %v", id, middlewares)
			}
		}
	}
}

// TestNothingComesInBeforeAllRuns: the receiver serves when the exporters of its first signal have started.
func TestNothingComesInBeforeAllRuns(t *testing.T) {
	for name, c := range map[string]Config{"gateway": gateway(t), "node": Node("host:1")} {
		grpc := c.Receivers["otlp"].(object)["protocols"].(object)["grpc"].(object)
		if middlewares := fmt.Sprint(grpc["middlewares"]); !strings.Contains(middlewares, "odi_ready") {
			t.Errorf("%s: the receiver has the middlewares %s", name, middlewares)
		}
	}
}
