package types

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/destinations"
)

// row is a type as programs read it.
type row struct {
	Name     string               `json:"name"`
	Title    string               `json:"title"`
	Category string               `json:"category"`
	Signals  []odiv1.Signal       `json:"signals"`
	Docs     string               `json:"docs"`
	Note     string               `json:"note,omitempty"`
	Fields   []destinations.Field `json:"fields"`
}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "types [word]",
		Short: "List the types of destination",
		Long: `List the types of destination: all, or those that have a word in their name, title,
category or signals. The categories are standard, open source, vendor, cloud, AI,
pipeline and testing; -o wide shows them with the fields. Of those, one with a star
is required, and one in (brackets) secret.`,
		Example: "  odi destination types\n  odi destination types grafana\n  odi destination types \"open source\" -o wide",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if namespace := to.NamespaceFlag(); namespace != "" {
				return exit.Usagef("types are the same in all namespaces: --namespace %s means nothing to %s", namespace, cmd.CommandPath())
			}
			return run(io, strings.Join(args, " "), format)
		},
	}
	output.AddFlag(cmd, &format)
	return cmd
}

func run(io streams.Streams, word string, format output.Format) error {
	found, err := destinations.Find(word)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		_, err := destinations.Get(word)
		return exit.AsUsage(err)
	}
	rows := make([]row, 0, len(found))
	table := output.Table{Columns: []string{"type", "title", "signals"}, Wide: []string{"category", "fields", "docs"}}
	for _, t := range found {
		rows = append(rows, row{t.Name, t.Title, t.Category, t.Signals, t.Docs, t.Note, t.Fields})
		table.Rows = append(table.Rows, []string{t.Name, t.Title, signals(t), t.Category, fields(t), t.Docs})
	}
	if !format.ForPeople() {
		return output.Value(io.Out, format, rows)
	}
	if err := table.Print(output.Out(io), format); err != nil {
		return err
	}
	fmt.Fprintf(io.Err, "What one of them needs: odi destination add %s --help\n", found[0].Name)
	return nil
}

func signals(t destinations.Type) string {
	words := make([]string, 0, len(t.Signals))
	for _, s := range t.Signals {
		words = append(words, string(s))
	}
	return strings.Join(words, ",")
}

func fields(t destinations.Type) string {
	words := make([]string, 0, len(t.Fields))
	for _, field := range t.Fields {
		word := field.Name
		if field.Secret {
			word = "(" + word + ")"
		}
		if field.Required {
			word += "*"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
