package types

import (
	"strings"

	"github.com/spf13/cobra"

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
	Signals  []string             `json:"signals"`
	Docs     string               `json:"docs"`
	Fields   []destinations.Field `json:"fields"`
}

// New returns the command.
func New(io streams.Streams) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "types",
		Short:   "List the types of destination and their fields",
		Long:    "List the types of destination and their fields. A field with a star is required; one in (brackets) is secret.",
		Example: "  odi destination types\n  odi destination types -o yaml",
		Args:    exit.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return run(io, format) },
	}
	output.AddFlag(cmd, &format)
	return cmd
}

func run(io streams.Streams, format output.Format) error {
	known, err := destinations.Types()
	if err != nil {
		return err
	}
	rows := make([]row, 0, len(known))
	table := output.Table{Columns: []string{"type", "title", "signals", "fields"}, Wide: []string{"category", "docs"}}
	for _, t := range known {
		r := row{Name: t.Name, Title: t.Title, Category: t.Category, Docs: t.Docs, Fields: t.Fields}
		for _, signal := range t.Signals {
			r.Signals = append(r.Signals, string(signal))
		}
		rows = append(rows, r)
		table.Rows = append(table.Rows, []string{r.Name, r.Title, strings.Join(r.Signals, ","), fields(t), r.Category, r.Docs})
	}
	if !format.ForPeople() {
		return output.Value(io.Out, format, rows)
	}
	return table.Print(io.Out, format)
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
