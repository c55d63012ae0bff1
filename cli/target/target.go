package target

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/internal/workload"
)

// The kinds that can be named besides workloads.
const (
	Namespace   = "namespace"
	Destination = "destination"
	Node        = "node"
)

// aliases are what people write for those kinds.
var aliases = map[string]string{
	"namespaces": Namespace, "ns": Namespace,
	"destinations": Destination, "dest": Destination, "destination.odi.dev": Destination, "destinations.odi.dev": Destination,
	"nodes": Node, "no": Node,
}

// Target is what was named.
type Target struct {
	// Kind is the kind's word: one of the constants, or that of a workload in small letters.
	Kind string
	// Workload is the kind of workload; empty for anything else.
	Workload odiv1.WorkloadKind
	Name     string
}

// Grammar is the kinds that a command takes besides workloads.
type Grammar []string

// Args checks arguments for cobra.
func (g Grammar) Args(cmd *cobra.Command, args []string) error {
	_, err := g.Parse(cmd, args)
	return err
}

// Parse reads kind/name or kind name.
func (g Grammar) Parse(cmd *cobra.Command, args []string) (Target, error) {
	path := cmd.CommandPath()
	word, name, rest := split(args)
	if word == "" {
		return Target{}, exit.Usagef("%s needs <kind>/<name>, for example deployment/cart; see %s --help", path, path)
	}
	found, err := g.kind(word)
	switch {
	case err != nil && name == "" && exit.Meant(word, g.Words()) == "":
		return Target{}, exit.Usagef("%s needs <kind>/<name>, for example deployment/%s; see %s --help", path, word, path)
	case err != nil:
		return Target{}, exit.AsUsage(err)
	case name == "":
		return Target{}, exit.Usagef("%s needs the name of a %s: %s %s/<name>", path, found.Kind, path, found.Kind)
	case strings.Contains(name, "/"):
		return Target{}, exit.Usagef("%q is no name of a %s: it has a slash; see %s --help", name, found.Kind, path)
	case len(rest) > 0:
		return Target{}, exit.Usagef("%s takes one %s, but got %q too; see %s --help", path, found.Kind, rest[0], path)
	}
	found.Name = name
	return found, nil
}

// split reads a kind, a name, and what is too much.
func split(args []string) (word, name string, rest []string) {
	if len(args) == 0 {
		return "", "", nil
	}
	word, name, slash := strings.Cut(args[0], "/")
	rest = args[1:]
	if !slash && len(rest) > 0 {
		return word, rest[0], rest[1:]
	}
	return word, name, rest
}

// Words are the kinds in the order of help.
func (g Grammar) Words() []string {
	var words []string
	if slices.Contains(g, Namespace) {
		words = append(words, Namespace)
	}
	for _, kind := range workload.Kinds() {
		words = append(words, strings.ToLower(string(kind)))
	}
	for _, other := range g {
		if other != Namespace {
			words = append(words, other)
		}
	}
	return words
}

// kind finds the kind that a word means.
func (g Grammar) kind(word string) (Target, error) {
	lower := strings.ToLower(word)
	if long, ok := aliases[lower]; ok {
		lower = long
	}
	if slices.Contains(g, lower) {
		return Target{Kind: lower}, nil
	}
	kind, err := workload.ParseKind(word)
	if err != nil {
		if word := exit.Meant(lower, g.Words()); word != "" {
			return Target{}, exit.Usagef("unknown kind %q; did you mean %s?", lower, word)
		}
		return Target{}, exit.Usagef("unknown kind %q; valid are %s, and <kind>.<group> of another controller's",
			word, strings.Join(g.Words(), ", "))
	}
	return Target{Kind: strings.ToLower(string(kind)), Workload: kind}, nil
}
