package describe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/live"
	"github.com/odi-dev/odi/cli/manifests"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/internal/nodeapi"
)

func describeNode(ctx context.Context, a asked) error {
	if namespace := a.to.NamespaceFlag(); namespace != "" {
		return exit.Usagef("a node is in no namespace, so that --namespace %s means nothing to it", namespace)
	}
	var node odiv1.NodeInstrumentation
	err := a.client.Get(ctx, client.ObjectKey{Name: a.name}, &node)
	if apierrors.IsNotFound(err) {
		return unknownNode(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("reading what the node %s reports: %w", a.name, err)
	}
	if !a.format.ForPeople() {
		return manifests.List(a.io.Out, a.format, a.client.Scheme(), []client.Object{&node})
	}
	world, err := observe(ctx, a, "")
	if err != nil {
		return err
	}
	odiglets, err := live.Of(a.to, world.seen.Pods)
	if err != nil {
		return err
	}
	answer, reached := odiglets.Nodes(ctx)[a.name]
	out := output.Out(a.io)
	problem := nodeProblem(&node, world.seen)
	printNode(out, &node, problem)
	if !reached {
		fmt.Fprintln(out, "\n  Its odiglet does not answer, so its books are not shown.")
		return verdict(true)
	}
	printBooks(out, answer)
	return verdict(problem != "" || answer.ExportError != "")
}

func unknownNode(ctx context.Context, a asked) error {
	var all odiv1.NodeInstrumentationList
	if err := a.client.List(ctx, &all); err != nil || len(all.Items) == 0 {
		return exit.Usagef("no odiglet reports from a node %s; to see the odiglets: odi status", a.name)
	}
	names := make([]string, 0, len(all.Items))
	for _, node := range all.Items {
		names = append(names, node.Name)
	}
	return exit.Usagef("no odiglet reports from a node %s; there are: %s", a.name, strings.Join(names, ", "))
}

// nodeProblem is what is wrong with the node's odiglet; empty when it works.
func nodeProblem(node *odiv1.NodeInstrumentation, seen components.Observed) string {
	for _, c := range components.Judge(seen) {
		if c.Name == "odiglet on "+node.Name && !c.Ready {
			return c.Text + "; to see more: " + c.Show
		}
	}
	if ready := meta.FindStatusCondition(node.Status.Conditions, odiv1.ConditionReady); ready != nil && ready.Status != "True" {
		return ready.Message
	}
	return ""
}

func printNode(out output.Page, node *odiv1.NodeInstrumentation, problem string) {
	fmt.Fprintf(out, "node %s (kernel %s, odiglet %s)\n\n", node.Name, node.Status.Kernel, node.Status.OdigletVersion)
	if problem != "" {
		out.Line("  ", "Its odiglet does not work: "+problem)
	}
	fmt.Fprintf(out, "  %d processes are instrumented\n\n", node.Status.Attached)
	for _, feature := range node.Status.Features {
		out.Line(fmt.Sprintf("  %-14s %-12s ", feature.Name, feature.State), feature.Reason)
	}
}

func printBooks(out output.Page, node nodeapi.Node) {
	b := node.Books
	fmt.Fprintf(out, "\n  seen %d = sent %d + queued %d + dropped %d\n", b.Seen, b.Sent, b.Queued, total(b.Dropped))
	for _, counts := range []map[string]uint64{b.Dropped, b.Incomplete} {
		for _, reason := range slices.Sorted(maps.Keys(counts)) {
			if counts[reason] > 0 {
				out.Line("    ", lossLine(counts[reason], reason, b.Whose[reason]))
			}
		}
	}
	if node.ExportError != "" {
		out.Line("  ", "its node collector does not take the data: "+node.ExportError)
	}
}

// lossLine says what became of n requests, and whose they were.
func lossLine(n uint64, reason string, whose map[string]uint64) string {
	why := loss.Of(loss.Name(reason))
	text := fmt.Sprintf("%d %s: %s", n, why.Class.Words(), why.Words)
	if of := output.Worst(whose); of != "" {
		text += "; of " + of
	}
	return text + " (" + reason + ")"
}

func total(counts map[string]uint64) uint64 {
	sum := uint64(0)
	for _, count := range counts {
		sum += count
	}
	return sum
}
