package heartbeatreceiver

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/metric/noop"
)

// backend answers heartbeats as it is told to.
type backend struct {
	answer error
	beats  chan int // spans of each beat
}

func (*backend) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (b *backend) ConsumeTraces(_ context.Context, data ptrace.Traces) error {
	select {
	case b.beats <- data.SpanCount():
	default:
	}
	return b.answer
}

func start(t *testing.T, b *backend) *heart {
	t.Helper()
	factory := NewFactory()
	config := &Config{Destination: "shop/jaeger", Interval: time.Millisecond}
	set := receiver.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{MeterProvider: noop.NewMeterProvider()},
	}
	r, err := factory.CreateTraces(t.Context(), set, config, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r.(*heart)
}

func TestItBeatsWithEmptyBatchesAndRemembersTheAnswer(t *testing.T) {
	refusal := errors.New("connection refused")
	b := &backend{answer: refusal, beats: make(chan int)}
	h := start(t, b)
	for range 3 {
		select {
		case spans := <-b.beats:
			if spans != 0 {
				t.Errorf("a beat has %d spans", spans)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it does not beat")
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.answers || !errors.Is(h.answer, refusal) {
		t.Errorf("it remembers %v", h.answer)
	}
}

func TestConfigsWithMistakesAreRefused(t *testing.T) {
	for name, c := range map[string]Config{
		"no destination": {Interval: time.Second},
		"no interval":    {Destination: "shop/jaeger"},
	} {
		if c.Validate() == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func TestLongWordsAreCutBetweenCharacters(t *testing.T) {
	if got := shorten("x" + strings.Repeat("é", longestError)); !strings.HasSuffix(got, "é...") {
		t.Errorf("it ends with %q", got[len(got)-8:])
	}
}

// TestWhatNeverBeatEndsAtOnce: where another component does not start, all are
// shut down, and nothing comes in until they are.
func TestWhatNeverBeatEndsAtOnce(t *testing.T) {
	h := &heart{config: &Config{Destination: "shop/jaeger", Interval: time.Hour}, done: make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- h.Shutdown(t.Context()) }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for a beat that never was")
	}
}
