package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/output"
)

// format is the value of -o. Beside what other commands have, a CI system reads junit.
type format string

const (
	formatTable = format(output.FormatTable)
	formatJSON  = format(output.FormatJSON)
	formatYAML  = format(output.FormatYAML)
	formatJUnit = format("junit")
)

var formats = []string{string(formatTable), string(formatJSON), string(formatYAML), string(formatJUnit)}

// String is the value as typed.
func (f *format) String() string { return string(*f) }

// Set takes the value of the flag and refuses unknown ones.
func (f *format) Set(text string) error {
	if !slices.Contains(formats, text) {
		return fmt.Errorf("valid are %s", strings.Join(formats, ", "))
	}
	*f = format(text)
	return nil
}

// Type is shown in help.
func (f *format) Type() string { return "format" }

func (f *format) addFlag(cmd *cobra.Command) {
	cmd.Flags().VarP(f, "output", "o", "output `format`: "+strings.Join(formats, ", "))
	// The only error is a flag that does not exist, which the line above rules out.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(slices.Clone(formats), cobra.ShellCompDirectiveNoFileComp))
}
