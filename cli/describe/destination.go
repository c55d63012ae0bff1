package describe

import (
	"context"
	"fmt"
	"sort"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/chain"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/manifests"
	"github.com/odi-dev/odi/cli/output"
)

func describeDestination(ctx context.Context, a asked) error {
	namespace := a.to.NamespaceFlag()
	if namespace == "" {
		var err error
		if namespace, err = cluster.OdiNamespace(ctx, a.client); err != nil {
			return err
		}
	}
	var destination odiv1.Destination
	err := a.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: a.name}, &destination)
	if apierrors.IsNotFound(err) {
		return unknownDestination(ctx, a, namespace)
	}
	if err != nil {
		return fmt.Errorf("reading the destination %s/%s: %w", namespace, a.name, err)
	}
	if !a.format.ForPeople() {
		return manifests.List(a.io.Out, a.format, a.client.Scheme(), []client.Object{&destination})
	}
	return printDestination(output.Out(a.io), &destination)
}

func unknownDestination(ctx context.Context, a asked, namespace string) error {
	var all odiv1.DestinationList
	if err := a.client.List(ctx, &all); err != nil {
		return exit.Usagef("there is no destination %s in %s", a.name, namespace)
	}
	names := make([]string, 0, len(all.Items))
	for _, d := range all.Items {
		names = append(names, d.Namespace+"/"+d.Name)
	}
	if len(names) == 0 {
		return exit.Usagef("there is no destination %s in %s; there is none at all", a.name, namespace)
	}
	return exit.Usagef("there is no destination %s in %s; there are: %s", a.name, namespace, strings.Join(names, ", "))
}

func printDestination(out output.Page, d *odiv1.Destination) error {
	fmt.Fprintf(out, "destination %s/%s (%s)\n\n", d.Namespace, d.Name, d.Spec.Type)
	fields := make([]string, 0, len(d.Spec.Config))
	for name := range d.Spec.Config {
		fields = append(fields, name)
	}
	sort.Strings(fields)
	for _, name := range fields {
		first, _, more := strings.Cut(d.Spec.Config[name], "\n")
		if more {
			first += " ..."
		}
		out.Line("  "+name+": ", first)
	}
	if d.Spec.SecretRef != nil {
		fmt.Fprintf(out, "  secret fields: in the Secret %s\n", d.Spec.SecretRef.Name)
	}
	fmt.Fprintln(out)
	for _, c := range d.Status.Conditions {
		if forPeople(c, d.Generation) {
			out.Line("  ", fmt.Sprintf("%s is %s (%s): %s", c.Type, c.Status, c.Reason, c.Message))
		}
	}
	fmt.Fprintf(out, "  sent %d, failed %d, queued %d\n", d.Status.Sent, d.Status.Failed, d.Status.Queued)
	if d.Status.LastError != "" {
		out.Line("  its latest refusal: ", d.Status.LastError)
	}
	step := chain.Destination(d)
	if strings.Contains(step.Todo, "odi describe destination/") {
		step.Todo = "" // This is it: all that is known stands above.
	}
	why := "Not because of this destination: " + step.Text
	if step.State != chain.Done {
		why = chain.Why([]chain.Step{step})
	}
	fmt.Fprintln(out)
	out.Line("", "Why is there no trace? "+why)
	return verdict(step.State == chain.Broken)
}

// forPeople: Reconciling and Stalled repeat the others, for programs, and a test of what it
// was before says nothing of now.
func forPeople(c metav1.Condition, generation int64) bool {
	switch c.Type {
	case odiv1.ConditionReady, odiv1.ConditionExporting:
		return true
	case odiv1.ConditionTested:
		return c.ObservedGeneration == generation
	}
	return false
}
