// Package explain implements `odi explain`: what a code of a check means, why it
// matters and how to mend it. No cluster is asked.
package explain

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
)

// explained is one check as it is printed.
type explained struct {
	Code     string          `json:"code"`
	Title    string          `json:"title"`
	Severity checks.Severity `json:"severity"`
	Phase    checks.Phase    `json:"phase"`
	Why      string          `json:"why"`
	Mend     string          `json:"mend"`
}

// New returns the command.
func New(io streams.Streams) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "explain [code]",
		Short: "Tell what the code of a check means, and how to mend it",
		Long: `Tell what the code of a check means, why it matters and how to mend it. Without a
code, all are listed. No cluster is asked.`,
		Example:           "  odi explain ODI-302\n  odi explain 302\n  odi explain",
		Args:              atMostOne,
		ValidArgsFunction: codes,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return list(io, format)
			}
			return tell(io, format, args[0])
		},
	}
	output.AddFlag(cmd, &format)
	return cmd
}

func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return exit.Usagef("%s takes one code, but got %q too; see %s --help", cmd.CommandPath(), args[1], cmd.CommandPath())
	}
	return nil
}

func codes(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []cobra.Completion
	if len(args) == 0 {
		for _, c := range checks.All() {
			all = append(all, cobra.CompletionWithDesc(c.Code, c.Title))
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// prefix is what every code begins with; a person may leave it out.
const prefix = "ODI-"

func tell(io streams.Streams, format output.Format, code string) error {
	c, ok := checks.Find(prefix + strings.TrimPrefix(strings.ToUpper(code), prefix))
	if !ok {
		return exit.Usagef("there is no check %s; to see all: odi explain", output.Printable(code))
	}
	if !format.ForPeople() {
		return output.Value(io.Out, format, of(c))
	}
	page := output.Out(io)
	page.Line("", page.Paint(output.Bold, c.Code+": "+c.Title))
	page.Line("", "Where it is not so: "+string(c.Severity)+". Checked "+string(c.Phase)+".")
	page.Line("", "")
	page.Line("Why:     ", c.Why)
	page.Line("To mend: ", c.Mend)
	return nil
}

func list(io streams.Streams, format output.Format) error {
	var all []explained
	t := output.Table{Columns: []string{"code", "severity", "checked", "what has to be so"}}
	for _, c := range checks.All() {
		all = append(all, of(c))
		t.Rows = append(t.Rows, []string{c.Code, string(c.Severity), string(c.Phase), c.Title})
	}
	if !format.ForPeople() {
		return output.Value(io.Out, format, all)
	}
	return t.Print(output.Out(io), format)
}

func of(c checks.Check) explained {
	return explained{Code: c.Code, Title: c.Title, Severity: c.Severity, Phase: c.Phase, Why: c.Why, Mend: c.Mend}
}
