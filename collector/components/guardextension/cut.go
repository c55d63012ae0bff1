package guardextension

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"google.golang.org/grpc"
)

// grace is how long the requests under way may take when a configuration is
// replaced. Exporters end one after the other, each after its last request: who
// names twenty servers that never answer would have a reload take minutes, during
// which nothing comes in. What is cut stays in its queue and is sent again.
const grace = 2 * time.Second

// cutter ends requests at a reload. At the end of the process they may go on:
// the queues are emptied then.
type cutter struct {
	grace    time.Duration
	requests context.Context
	cut      context.CancelFunc
	signals  chan os.Signal
}

func newCutter() *cutter {
	c := &cutter{grace: grace, signals: make(chan os.Signal, 1)}
	c.requests, c.cut = context.WithCancel(context.Background())
	return c
}

// Start implements component.Component.
func (c *cutter) Start(context.Context, component.Host) error {
	signal.Notify(c.signals, syscall.SIGTERM, os.Interrupt)
	return nil
}

// Shutdown implements component.Component.
func (c *cutter) Shutdown(context.Context) error {
	signal.Stop(c.signals)
	c.cut()
	return nil
}

// Ready implements extensioncapabilities.PipelineWatcher.
func (*cutter) Ready() error { return nil }

// NotReady implements extensioncapabilities.PipelineWatcher.
func (c *cutter) NotReady() error {
	time.AfterFunc(c.grace, func() {
		if len(c.signals) == 0 {
			c.cut()
		}
	})
	return nil
}

// bound is a context that ends with the cut as well.
func (c *cutter) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.requests, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// unary is for gRPC: a request may wait for a name, a connection or an answer.
func (c *cutter) unary(
	ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	ctx, end := c.bound(ctx)
	defer end()
	return next(ctx, method, request, reply, cc, opts...)
}

// cuttable is for HTTP. The context lives as long as the answer is read.
type cuttable struct {
	cutter *cutter
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c cuttable) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(request.Context())
	context.AfterFunc(c.cutter.requests, cancel)
	response, err := c.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		cancel()
	}
	return response, err
}
