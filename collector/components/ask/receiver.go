package ask

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
)

// Name of the receiver and of the middleware.
const Name = "odi_ask"

type config struct{}

// Receiver makes the receiver that asks once it is started.
func (q *Question) Receiver() receiver.Factory {
	return receiver.NewFactory(
		component.MustNewType(Name),
		func() component.Config { return &config{} },
		receiver.WithTraces(func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Traces) (receiver.Traces, error) {
			return q.asker("traces", func(ctx context.Context) error { return next.ConsumeTraces(ctx, q.mark.traces()) }), nil
		}, component.StabilityLevelBeta),
		receiver.WithMetrics(func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			return q.asker("metrics", func(ctx context.Context) error { return next.ConsumeMetrics(ctx, q.mark.metrics()) }), nil
		}, component.StabilityLevelBeta),
		receiver.WithLogs(func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Logs) (receiver.Logs, error) {
			return q.asker("logs", func(ctx context.Context) error { return next.ConsumeLogs(ctx, q.mark.logs()) }), nil
		}, component.StabilityLevelBeta),
	)
}

func (q *Question) asker(signal string, send func(context.Context) error) *asker {
	return &asker{question: q, signal: signal, send: send}
}

// asker asks for one signal from Start on.
type asker struct {
	question *Question
	signal   string
	send     func(context.Context) error
	stop     context.CancelFunc
}

// Start implements component.Component. Exporters start before receivers.
func (a *asker) Start(context.Context, component.Host) error {
	if a.stop != nil {
		return fmt.Errorf("%s are asked for already", a.signal)
	}
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	go a.question.ask(ctx, a.signal, a.send)
	return nil
}

// Shutdown implements component.Component.
func (a *asker) Shutdown(context.Context) error {
	if a.stop != nil {
		a.stop()
	}
	return nil
}
