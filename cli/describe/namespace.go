package describe

import (
	"context"
	"fmt"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/chain"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/internal/workload"
)

// namespaceAnswer is what is printed about one namespace.
type namespaceAnswer struct {
	Namespace string           `json:"namespace"`
	Workloads []workloadAnswer `json:"workloads"`
	Why       string           `json:"why"`
	broken    bool
}

func describeNamespace(ctx context.Context, a asked) error {
	wish := selected.Wish{Namespace: a.name, Name: a.name}
	if _, err := wish.Complete(a.to); err != nil {
		return err
	}
	workloads, err := wish.Workloads(ctx, a.client)
	if err != nil {
		return err
	}
	if len(workloads) == 0 {
		if err := wish.Exists(ctx, a.client); err != nil {
			return err
		}
	}
	world, err := observe(ctx, a, wish.Namespace)
	if err != nil {
		return err
	}
	wished(ctx, a, &world.input, a.name)
	answer := judgeNamespace(a.name, world.input, workloads)
	if !a.format.ForPeople() {
		if err := output.Value(a.io.Out, a.format, answer); err != nil {
			return err
		}
		return verdict(answer.broken)
	}
	out := output.Out(a.io)
	fmt.Fprintf(out, "namespace %s\n\n", a.name)
	if len(answer.Workloads) > 0 {
		if err := answer.table(workloads).Print(out, a.format); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	out.Line("", "Why is there no trace? "+answer.Why)
	return verdict(answer.broken)
}

// judgeNamespace follows every workload; the first that stops names the reason.
func judgeNamespace(name string, in chain.Input, workloads []odiv1.InstrumentedWorkload) namespaceAnswer {
	answer := namespaceAnswer{Namespace: name, Why: "Every step works for every workload: each request from now on is a trace."}
	if len(workloads) == 0 {
		answer.Why, answer.broken = chain.NoWorkload(name, in), in.Never == ""
		return answer
	}
	stopped := false
	for i := range workloads {
		in.Object = &workloads[i]
		in.Workload = workload.In(name, workloads[i].Spec.Workload)
		one := workloadAnswer{Workload: label(&workloads[i]), Steps: chain.Follow(in)}
		one.Why = chain.Why(one.Steps)
		answer.Workloads = append(answer.Workloads, one)
		answer.broken = answer.broken || one.broken()
		if last := one.Steps[len(one.Steps)-1]; last.State == chain.Done || stopped {
			continue
		}
		stopped = true
		answer.Why = one.Workload + ": " + one.Why
	}
	return answer
}

func label(iw *odiv1.InstrumentedWorkload) string {
	return strings.ToLower(string(iw.Spec.Workload.Kind)) + "/" + iw.Spec.Workload.Name
}

func (n namespaceAnswer) table(workloads []odiv1.InstrumentedWorkload) output.Table {
	t := output.Table{Columns: []string{"workload", "runtime", "method", "pods", "stops at"}, Wide: []string{"config", "reason"}}
	for i, one := range n.Workloads {
		iw := workloads[i]
		last := one.Steps[len(one.Steps)-1]
		stops := last.Name
		if last.State == chain.Done {
			stops = ""
		}
		t.Rows = append(t.Rows, []string{
			one.Workload, iw.Status.Runtimes, iw.Status.Methods,
			fmt.Sprintf("%d/%d", iw.Status.InstrumentedPods, iw.Status.Pods), stops, iw.Spec.Config, last.Text,
		})
	}
	return t
}
