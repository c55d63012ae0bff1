package complete

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/cli/target"
)

// patience of someone who pressed Tab.
const patience = 2 * time.Second

// Func is what cobra asks.
type Func = func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective)

// list is one way to find words.
type list func(context.Context, client.Client) ([]string, error)

// names completes the name of a namespace (no kind) or of a workload.
func names(to *cluster.Cluster, kind odiv1.WorkloadKind) list {
	return func(ctx context.Context, c client.Client) ([]string, error) {
		if kind == "" {
			return selected.Namespaces(ctx, c)
		}
		namespace, err := to.Namespace()
		if err != nil {
			return nil, err
		}
		return selected.Names(ctx, c, kind, namespace)
	}
}

// Flags completes the values of the flags that say which cluster and which namespace.
func Flags(root *cobra.Command, to *cluster.Cluster) {
	// The only error is a flag that does not exist; cluster.AddFlags has added them.
	_ = root.RegisterFlagCompletionFunc("namespace", always(to, allNamespaces))
	_ = root.RegisterFlagCompletionFunc("context", func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return matching(to.Contexts(), typed), cobra.ShellCompDirectiveNoFileComp
	})
	_ = root.RegisterFlagCompletionFunc("kubeconfig", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	})
}

// allNamespaces are also those that cannot be instrumented.
func allNamespaces(ctx context.Context, c client.Client) ([]string, error) {
	var list corev1.NamespaceList
	if err := c.List(ctx, &list); err != nil {
		return nil, err
	}
	words := make([]string, 0, len(list.Items))
	for _, namespace := range list.Items {
		words = append(words, namespace.Name)
	}
	return words, nil
}

// Word completes the value of a flag that takes one of a few, whatever the case of what is typed.
func Word(known []string) Func {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var words []cobra.Completion
		directive := cobra.ShellCompDirectiveNoFileComp
		for _, word := range known {
			if len(word) >= len(typed) && strings.EqualFold(word[:len(typed)], typed) {
				words = append(words, word)
			}
			if strings.HasSuffix(word, "=") {
				directive |= cobra.ShellCompDirectiveNoSpace
			}
		}
		return words, directive
	}
}

// Words completes the values of a flag that takes several, with commas between them.
func Words(known []string) Func {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		var words []string
		for _, word := range known {
			if !slices.Contains(strings.Split(before, ","), word) {
				words = append(words, before+word)
			}
		}
		return matching(words, typed), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
}

// Destinations completes the name of a destination.
func Destinations(to *cluster.Cluster) Func { return first(to, destinations(to)) }

func destinations(to *cluster.Cluster) list {
	return func(ctx context.Context, c client.Client) ([]string, error) {
		namespace := to.NamespaceFlag()
		if namespace == "" {
			var err error
			if namespace, err = cluster.OdiNamespace(ctx, c); err != nil {
				return nil, err
			}
		}
		var list odiv1.DestinationList
		if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		words := make([]string, 0, len(list.Items))
		for _, destination := range list.Items {
			words = append(words, destination.Name)
		}
		return words, nil
	}
}

func nodes(ctx context.Context, c client.Client) ([]string, error) {
	var list odiv1.NodeInstrumentationList
	if err := c.List(ctx, &list); err != nil {
		return nil, err
	}
	words := make([]string, 0, len(list.Items))
	for _, node := range list.Items {
		words = append(words, node.Name)
	}
	return words, nil
}

// Target completes what a command can be about, kind/name or kind name: kinds first,
// and after the slash or the kind the names.
func Target(to *cluster.Cluster, grammar target.Grammar) Func {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		word, start, slash := strings.Cut(typed, "/")
		switch {
		case len(args) > 1 || len(args) == 1 && strings.Contains(args[0], "/"):
			return nil, cobra.ShellCompDirectiveNoFileComp
		case len(args) == 1:
			return namesOf(cmd, to, grammar, args[0], typed)
		case !slash:
			kinds := grammar.Words()
			for i := range kinds {
				kinds[i] += "/"
			}
			return matching(kinds, typed), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
		}
		words, directive := namesOf(cmd, to, grammar, word, start)
		for i := range words {
			words[i] = word + "/" + words[i]
		}
		return words, directive
	}
}

// namesOf completes names of what a word means.
func namesOf(cmd *cobra.Command, to *cluster.Cluster, grammar target.Grammar, word, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	what, err := grammar.Parse(cmd, []string{word, "-"})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	find := names(to, what.Workload)
	switch what.Kind {
	case target.Destination:
		find = destinations(to)
	case target.Node:
		find = nodes
	}
	return always(to, find)(cmd, nil, typed)
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
