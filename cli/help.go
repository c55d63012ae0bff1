package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/output"
)

// fitHelp makes help as wide as the terminal; 0 is none, and lines are as long as they are.
func fitHelp(root *cobra.Command, width int) {
	root.SetUsageTemplate(usageTemplate)
	if width == 0 {
		return
	}
	root.SetUsageTemplate(strings.ReplaceAll(usageTemplate, ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", width)))
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		text := strings.TrimSpace(cmp.Or(cmd.Long, cmd.Short))
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s", fitted(reflowed(text), width), fitted(cmd.UsageString(), width))
	})
}

// reflowed makes one line of each paragraph; what is indented stays as it is.
func reflowed(text string) string {
	var lines []string
	open := false
	for line := range strings.SplitSeq(text, "\n") {
		prose := line != "" && !strings.HasPrefix(line, " ")
		if prose && open {
			lines[len(lines)-1] += " " + line
			continue
		}
		lines, open = append(lines, line), prose
	}
	return strings.Join(lines, "\n")
}

// fitted breaks lines between words, and indents what goes on as the line was; commands stay whole.
func fitted(text string, width int) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		begin := line[:len(line)-len(strings.TrimLeft(line, " "))]
		if begin != "" && (strings.HasPrefix(line[len(begin):], "odi ") || strings.HasPrefix(line[len(begin):], "sudo ")) {
			lines = append(lines, line)
			continue
		}
		for _, part := range output.Wrap(line[len(begin):], width, len(begin)) {
			lines = append(lines, begin+part)
		}
	}
	return strings.Join(lines, "\n")
}

// usageTemplate is cobra's own, shorter: one usage line, commands in groups, and
// the flags of the cluster in one line instead of a table in every command.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} <command>{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}
{{- end}}
{{- if .HasAvailableSubCommands}}
{{- $cmds := .Commands}}
{{- range $group := .Groups}}

{{.Title}}
{{- range $cmds}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}
{{- end}}{{end}}
{{- end}}
{{- if not .AllChildCommandsHaveGroup}}

{{if .Groups}}More:{{else}}Commands:{{end}}
{{- range $cmds}}{{if and (eq .GroupID "") .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}
{{- end}}{{end}}
{{- end}}
{{- end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{- end}}
{{- if and .HasAvailableInheritedFlags (not (index .Annotations "offline"))}}

Cluster flags: -n/--namespace, --context, --kubeconfig; see odi --help
{{- end}}
{{- if .HasAvailableSubCommands}}

{{.CommandPath}} <command> --help tells more.
{{- end}}
`
