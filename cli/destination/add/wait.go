package add

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/cli/trial"
	asked "github.com/odi-dev/odi/internal/trial"
)

// waiting is for a Destination that was written.
type waiting struct {
	io          streams.Streams
	to          *cluster.Cluster
	client      client.Client
	destination *odiv1.Destination
}

// wait waits for the heartbeat, which is empty, and then tests the destination with one of
// each signal. Where the heartbeat is not answered, the test says in the backend's words why.
func (w waiting) wait(ctx context.Context, timeout time.Duration) error {
	waited := w.arrive(ctx, timeout)
	if ctx.Err() != nil {
		return waited
	}
	result, err := w.test(ctx)
	switch {
	case err != nil || result.Problem != "":
		if waited == nil {
			fmt.Fprintf(w.io.Err, "It was not tested with data: %s\n", because(result, err))
		}
		return waited
	case waited != nil || !result.Accepted():
		trial.Print(output.Page{Writer: w.io.Err, Width: w.io.ErrWidth, Colour: w.io.ErrTerminal}, result)
	default:
		fmt.Fprintf(w.io.Err, "It was tested with one of each signal, and the backend took them.\n")
	}
	if waited == nil && !result.Accepted() {
		return exit.Status(exit.Problem)
	}
	return waited
}

// test has the gateway send marked data, and leaves the answer in the status.
func (w waiting) test(ctx context.Context) (asked.Result, error) {
	latest, err := w.latest(ctx)
	if err != nil {
		return asked.Result{}, err
	}
	result, err := trial.Destination(ctx, w.to, w.client, latest)
	if err != nil {
		return result, err
	}
	return result, result.Record(ctx, w.client, latest)
}

func (w waiting) latest(ctx context.Context) (*odiv1.Destination, error) {
	d := &odiv1.Destination{}
	if err := w.client.Get(ctx, client.ObjectKeyFromObject(w.destination), d); err != nil {
		return nil, fmt.Errorf("reading the destination %s/%s: %w", w.destination.Namespace, w.destination.Name, err)
	}
	return d, nil
}

func because(result asked.Result, err error) string {
	if err != nil {
		return err.Error()
	}
	return result.Problem
}

// arrive shows the destination until its backend takes data, or it is clear that it never will.
func (w waiting) arrive(ctx context.Context, timeout time.Duration) error {
	err := progress.Wait(ctx, w.io, timeout, func(ctx context.Context) ([]progress.Item, error) {
		latest, err := w.latest(ctx)
		if err != nil {
			return nil, err
		}
		return []progress.Item{item(latest)}, nil
	})
	if errors.Is(err, progress.ErrTimeout) {
		return fmt.Errorf("%w; to see more: odi describe destination/%s -n %s", err, w.destination.Name, w.destination.Namespace)
	}
	return err
}

// item is pure.
func item(d *odiv1.Destination) progress.Item {
	it := progress.Item{Name: "destination " + d.Name, Text: "waiting for the manager"}
	ready := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionReady)
	if ready == nil || ready.ObservedGeneration < d.Generation {
		return it
	}
	it.Text = ready.Message
	if ready.Status != metav1.ConditionTrue {
		it.Failed = ready.Reason != odiv1.ReasonGatewayNotReady
		return it
	}
	exporting := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionExporting)
	if exporting == nil {
		return it
	}
	it.Text = exporting.Message
	// Without data there is nothing that the backend could take or refuse.
	it.Done = exporting.Status == metav1.ConditionTrue || exporting.Reason == odiv1.ReasonNoData
	it.Failed = exporting.Reason == odiv1.ReasonExportRefused && exporting.ObservedGeneration == d.Generation
	return it
}
