package complete

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/internal/workload"
)

// patience of someone who pressed Tab.
const patience = 2 * time.Second

// Func is what cobra asks.
type Func = func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective)

// list is one way to find words.
type list func(context.Context, client.Client) ([]string, error)

// Target completes the name of a namespace (no kind) or of a workload.
func Target(to *cluster.Cluster, kind odiv1.WorkloadKind) Func {
	return first(to, func(ctx context.Context, c client.Client) ([]string, error) {
		if kind == "" {
			return selected.Namespaces(ctx, c)
		}
		namespace, err := to.Namespace()
		if err != nil {
			return nil, err
		}
		return selected.Names(ctx, c, kind, namespace)
	})
}

// Namespaces completes the value of --namespace.
func Namespaces(to *cluster.Cluster) Func {
	return always(to, selected.Namespaces)
}

// Destinations completes the name of a destination.
func Destinations(to *cluster.Cluster) Func {
	return first(to, func(ctx context.Context, c client.Client) ([]string, error) {
		namespace := to.NamespaceFlag()
		if namespace == "" {
			var err error
			if namespace, err = cluster.OdiNamespace(ctx, c); err != nil {
				return nil, err
			}
		}
		var destinations odiv1.DestinationList
		if err := c.List(ctx, &destinations, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		names := make([]string, 0, len(destinations.Items))
		for _, destination := range destinations.Items {
			names = append(names, destination.Name)
		}
		return names, nil
	})
}

// KindSlashName completes <kind>/<name>: kinds first, and after the slash the names.
func KindSlashName(to *cluster.Cluster) Func {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		word, _, found := strings.Cut(typed, "/")
		if !found {
			kinds := []string{"namespace/", "destination/", "node/"}
			for _, kind := range workload.Kinds() {
				kinds = append(kinds, strings.ToLower(string(kind))+"/")
			}
			return matching(kinds, typed), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
		}
		names, directive := namesOf(to, word)(cmd, args, "")
		for i := range names {
			names[i] = word + "/" + names[i]
		}
		return matching(names, typed), directive
	}
}

func namesOf(to *cluster.Cluster, word string) Func {
	switch word {
	case "namespace":
		return Target(to, "")
	case "destination":
		return Destinations(to)
	}
	kind, err := workload.ParseKind(word)
	if err != nil {
		return cobra.NoFileCompletions
	}
	return Target(to, kind)
}

// first completes the first argument only.
func first(to *cluster.Cluster, find list) Func {
	every := always(to, find)
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return every(cmd, args, typed)
	}
}

func always(to *cluster.Cluster, find list) Func {
	return func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		parent := cmd.Context()
		if parent == nil {
			parent = context.Background()
		}
		ctx, cancel := context.WithTimeout(parent, patience)
		defer cancel()
		c, err := to.Client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words, err := find(ctx, c)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return matching(words, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

func matching(words []string, typed string) []cobra.Completion {
	var found []cobra.Completion
	for _, word := range words {
		if strings.HasPrefix(word, typed) {
			found = append(found, word)
		}
	}
	return found
}
