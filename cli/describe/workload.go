package describe

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/chain"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/live"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/internal/nodeapi"
	"github.com/odi-dev/odi/internal/workload"
)

// workloadAnswer is what is printed about one workload.
type workloadAnswer struct {
	Workload string       `json:"workload"`
	Steps    []chain.Step `json:"steps"`
	// Agents has a container each, where a language agent was asked for.
	Agents []agentAnswer `json:"agents,omitempty"`
	// Rollout says how far they are.
	Rollout string `json:"rollout,omitempty"`
	// Propagation says that nothing is written into what the workload sends, and who has said so.
	Propagation string `json:"propagation,omitempty"`
	// Sampling says which of the traces that it begins are recorded, and who has said so; empty: all.
	Sampling  string         `json:"sampling,omitempty"`
	Processes []live.Process `json:"processes,omitempty"`
	// Routes are all that the odiglets know, the most used first.
	Routes []nodeapi.Route `json:"routes,omitempty"`
	// MoreRoutes is how many the odiglets left out.
	MoreRoutes int    `json:"moreRoutes,omitempty"`
	Why        string `json:"why"`
}

func describeWorkload(ctx context.Context, a asked, kind odiv1.WorkloadKind) error {
	wish, err := selected.Wish{Kind: kind, Name: a.name}.Complete(a.to)
	if err != nil {
		return err
	}
	workloads, err := wish.Workloads(ctx, a.client)
	if err != nil {
		return err
	}
	if len(workloads) == 0 {
		// A workload that odi knows exists; any other may be a misspelt name.
		if err := wish.Exists(ctx, a.client); err != nil {
			return err
		}
	}
	world, err := observe(ctx, a, wish.Namespace)
	if err != nil {
		return err
	}
	in := inputOf(ctx, a, world.input, wish, workloads)
	answer := workloadAnswer{Workload: wish.String(), Steps: chain.Follow(in)}
	answer.Why = chain.Why(answer.Steps)
	answer.Agents, answer.Rollout = agentsOf(in.Object)
	answer.Propagation, answer.Sampling = propagationOf(in.Object), samplingOf(in.Object)
	if odiglets, err := live.Of(a.to, world.seen.Pods); err == nil && in.Object != nil {
		answer.Processes, _ = odiglets.Processes(ctx, in.Workload)
		answer.Routes, answer.MoreRoutes = odiglets.Routes(ctx, in.Workload)
	}
	if a.format.ForPeople() {
		err = answer.print(output.Out(a.io), a.format)
	} else {
		err = output.Value(a.io.Out, a.format, answer)
	}
	if err != nil {
		return err
	}
	return verdict(answer.broken())
}

// inputOf completes what every answer needs by what is known of one workload.
func inputOf(ctx context.Context, a asked, in chain.Input, wish selected.Wish, workloads []odiv1.InstrumentedWorkload) chain.Input {
	wished(ctx, a, &in, wish.Namespace)
	in.Workload = wish.Reference()
	if len(workloads) > 0 {
		in.Object = &workloads[0]
		in.Workload = workload.In(wish.Namespace, in.Object.Spec.Workload)
		return in
	}
	if in.Never == "" {
		in.Never = wish.Over(ctx, a.client)
	}
	return in
}

// broken says whether the chain ends where somebody has to act.
func (w workloadAnswer) broken() bool { return w.Steps[len(w.Steps)-1].State == chain.Broken }

// wished adds what was wished for in a namespace. Whoever may not look goes without.
func wished(ctx context.Context, a asked, in *chain.Input, namespace string) {
	var configs odiv1.InstrumentationConfigList
	if err := a.client.List(ctx, &configs, client.InNamespace(namespace)); err == nil {
		in.Configs = configs.Items
	}
	in.Never = cluster.WhyExcluded(ctx, a.client, namespace)
}

// world is what every answer needs.
type world struct {
	seen  components.Observed
	input chain.Input
}

// observe reads what the user may see; whoever has a namespace alone sees own.
func observe(ctx context.Context, a asked, own string) (world, error) {
	namespace, err := cluster.OdiNamespace(ctx, a.client)
	if err != nil {
		return world{}, err
	}
	w := world{input: chain.Input{OdiNamespace: namespace}}
	w.seen, err = components.Observe(ctx, a.client, namespace)
	switch {
	case apierrors.IsForbidden(err): // Of somebody who has a namespace alone; the chain is in that.
		w.seen = components.Observed{Namespace: namespace}
	case err != nil:
		return world{}, err
	default:
		if manager := components.Judge(w.seen)[0]; !manager.Ready {
			w.input.ManagerProblem, w.input.ManagerShow = manager.Text, manager.Show
		}
	}
	w.input.Destinations, w.input.Hidden, err = destinationsOf(ctx, a.client, own, namespace)
	return w, err
}

// destinationsOf lists those of all namespaces, or those that the user may see; hidden says that odi's own are not among them.
func destinationsOf(ctx context.Context, c client.Client, own, odi string) (list []odiv1.Destination, hidden bool, err error) {
	var all odiv1.DestinationList
	if err := c.List(ctx, &all); err == nil || !apierrors.IsForbidden(err) {
		return all.Items, false, wrapListing(err)
	}
	for _, namespace := range slices.Compact([]string{own, odi}) {
		err := c.List(ctx, &all, client.InNamespace(namespace))
		if apierrors.IsForbidden(err) {
			hidden = hidden || namespace == odi
			continue
		}
		if err != nil {
			return nil, false, wrapListing(err)
		}
		list = append(list, all.Items...)
	}
	return list, hidden, nil
}

func wrapListing(err error) error {
	if err != nil {
		return fmt.Errorf("listing destinations: %w", err)
	}
	return nil
}

// propagationOf is empty where headers are written.
func propagationOf(iw *odiv1.InstrumentedWorkload) string {
	if iw == nil || iw.Spec.Propagation != odiv1.PropagationNone {
		return ""
	}
	return fmt.Sprintf("off by InstrumentationConfig %s: eBPF writes no traceparent into what it sends, so that whoever it calls begins a trace; "+
		"requests that come with one still have their parent", iw.Spec.Config)
}

func (w workloadAnswer) print(out output.Page, format output.Format) error {
	fmt.Fprintf(out, "%s\n\n", w.Workload)
	printSteps(out, w.Steps)
	if err := w.printAgents(out, format); err != nil {
		return err
	}
	if w.Propagation != "" {
		fmt.Fprintln(out)
		out.Line("propagation: ", w.Propagation)
	}
	if w.Sampling != "" {
		fmt.Fprintln(out)
		out.Line("sampling: ", w.Sampling)
	}
	if len(w.Processes) > 0 {
		fmt.Fprintln(out)
		if err := processTable(w.Processes).Print(out, format); err != nil {
			return err
		}
	}
	if err := printRoutes(out, w.Routes, w.MoreRoutes, format); err != nil {
		return err
	}
	fmt.Fprintln(out)
	out.Line("", "Why is there no trace? "+w.Why)
	return nil
}

func printSteps(out output.Page, steps []chain.Step) {
	width := 0
	for _, step := range steps {
		width = max(width, len(step.Name))
	}
	for _, step := range steps {
		out.Line(fmt.Sprintf("  %s %-*s  ", mark(out, step.State), width, step.Name), step.Text)
	}
}

func mark(out output.Page, state chain.State) string {
	switch state {
	case chain.Done:
		return out.Paint(output.Green, "✓")
	case chain.Waiting:
		return out.Paint(output.Yellow, "·")
	case chain.Off:
		return out.Paint(output.Faint, "-")
	default:
		return out.Paint(output.Red, "✗")
	}
}

func processTable(list []live.Process) output.Table {
	t := output.Table{
		Columns: []string{"pod", "container", "pid", "runtime", "attached", "client spans linked", "problem"},
		Wide:    []string{"node", "executable", "service", "links by", "open requests"},
	}
	for _, p := range list {
		problem := p.Error
		if problem == "" {
			problem = p.Note
		}
		t.Rows = append(t.Rows, []string{
			p.Pod, p.Container, strconv.Itoa(p.PID), strings.TrimSpace(p.Runtime + " " + p.Version), yesNo(p.Attached),
			linked(p), problem,
			p.Node, p.Executable, p.Service, p.Trust, strconv.Itoa(p.OpenRequests),
		})
	}
	return t
}

func linked(p live.Process) string {
	if p.ClientSpans == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d", p.LinkedClientSpans, p.ClientSpans)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
