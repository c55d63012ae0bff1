package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// Format is the value of -o.
type Format string

// The formats.
const (
	FormatTable Format = "table"
	FormatWide  Format = "wide"
	FormatJSON  Format = "json"
	FormatYAML  Format = "yaml"
)

// formats in the order of help.
var formats = []string{string(FormatTable), string(FormatWide), string(FormatJSON), string(FormatYAML)}

// String is the value as typed.
func (f *Format) String() string { return string(*f) }

// Set takes the value of the flag and refuses unknown ones.
func (f *Format) Set(text string) error {
	for _, known := range formats {
		if text == known {
			*f = Format(text)
			return nil
		}
	}
	return fmt.Errorf("valid are %s", strings.Join(formats, ", "))
}

// Type is shown in help.
func (f *Format) Type() string { return "format" }

// AddFlag adds -o to a command that reads.
func AddFlag(cmd *cobra.Command, f *Format) {
	*f = FormatTable
	cmd.Flags().VarP(f, "output", "o", "output `format`: "+strings.Join(formats, ", "))
	// The only error is a flag that does not exist, which the line above rules out.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(toCompletions(formats), cobra.ShellCompDirectiveNoFileComp))
}

func toCompletions(words []string) []cobra.Completion {
	return append([]cobra.Completion(nil), words...)
}

// ForPeople says whether the format is a table.
func (f Format) ForPeople() bool { return f == FormatTable || f == FormatWide }

// Value writes any value as JSON or YAML.
func Value(out io.Writer, format Format, value any) error {
	if format == FormatJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	data, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("rendering YAML: %w", err)
	}
	_, err = out.Write(data)
	return err
}
