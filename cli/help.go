package cli

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
