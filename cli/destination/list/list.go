package list

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/manifests"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
)

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the destinations and whether they take the data",
		Long:    "List the destinations of all namespaces, or of the one of --namespace, and whether they take the data.",
		Example: "  odi destination list\n  odi destination list -o wide",
		Args:    exit.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, format) },
	}
	output.AddFlag(cmd, &format)
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, format output.Format) error {
	c, err := to.Client()
	if err != nil {
		return err
	}
	var found odiv1.DestinationList
	if err := c.List(ctx, &found, client.InNamespace(to.NamespaceFlag())); err != nil {
		return fmt.Errorf("listing destinations: %w", err)
	}
	if !format.ForPeople() {
		objects, err := manifests.Objects(&found)
		if err != nil {
			return err
		}
		return manifests.List(io.Out, format, c.Scheme(), objects)
	}
	if len(found.Items) == 0 {
		fmt.Fprintln(io.Err, "No destination yet: say where the data goes with: odi destination add <type>")
		return nil
	}
	return table(time.Now(), found.Items).Print(output.Out(io), format)
}

// table is pure; now is for the age.
func table(now time.Time, items []odiv1.Destination) output.Table {
	t := output.Table{
		Columns: []string{"namespace", "name", "type", "ready", "exporting", "sent", "failed", "queued", "age"},
		Wide:    []string{"endpoint", "message"},
	}
	for _, d := range items {
		ready, exporting := condition(d, odiv1.ConditionReady), condition(d, odiv1.ConditionExporting)
		message := exporting.Message
		if ready.Status == metav1.ConditionFalse {
			message = ready.Message
		}
		t.Rows = append(t.Rows, []string{
			d.Namespace, d.Name, d.Spec.Type, word(ready), word(exporting),
			strconv.FormatInt(d.Status.Sent, 10), strconv.FormatInt(d.Status.Failed, 10), strconv.FormatInt(d.Status.Queued, 10),
			duration.HumanDuration(now.Sub(d.CreationTimestamp.Time)),
			d.Spec.Config["endpoint"], message,
		})
	}
	return t
}

func condition(d odiv1.Destination, kind string) metav1.Condition {
	if found := meta.FindStatusCondition(d.Status.Conditions, kind); found != nil {
		return *found
	}
	return metav1.Condition{Status: metav1.ConditionUnknown}
}

// word is the status, and the reason where it is not True.
func word(c metav1.Condition) string {
	if c.Status == metav1.ConditionTrue || c.Reason == "" {
		return string(c.Status)
	}
	return fmt.Sprintf("%s (%s)", c.Status, c.Reason)
}
