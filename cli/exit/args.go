package exit

import (
	"strings"

	"github.com/spf13/cobra"
)

// NoArgs refuses every argument.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usagef("%s takes no argument, but got %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return nil
}

// Args wants exactly the named arguments.
func Args(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		want := "<" + strings.Join(names, "> <") + ">"
		if len(args) < len(names) {
			return Usagef("%s needs %s; see %s --help", cmd.CommandPath(), want, cmd.CommandPath())
		}
		return Usagef("%s takes only %s, but got %q too; see %s --help", cmd.CommandPath(), want, args[len(names)], cmd.CommandPath())
	}
}

// Subcommand is for a command that does nothing itself: it answers a word that
// is no subcommand with those that are.
func Subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	known := make([]string, 0, len(cmd.Commands()))
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			known = append(known, sub.Name())
		}
	}
	if meant := suggestion(args[0], known); meant != "" {
		return Usagef("unknown command %q for %s%s", args[0], cmd.CommandPath(), meant)
	}
	return Usagef("unknown command %q for %s; valid are %s", args[0], cmd.CommandPath(), strings.Join(known, ", "))
}
