package cluster

import (
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// dryRunServer is the one kind of dry run: what is not asked of the server is --export.
const dryRunServer = "server"

// DryRun is the value of --dry-run: the API server checks what would be written, and writes nothing.
type DryRun bool

// String is the value as written.
func (d *DryRun) String() string {
	if *d {
		return dryRunServer
	}
	return "none"
}

// Set takes what kubectl takes, but for client.
func (d *DryRun) Set(text string) error {
	switch text {
	case dryRunServer:
		*d = true
	case "none":
		*d = false
	default:
		return fmt.Errorf("valid are server and none; to see the objects without asking the cluster: --export")
	}
	return nil
}

// Type is shown in help.
func (d *DryRun) Type() string { return "server|none" }

// AddFlag adds --dry-run; without a value it means the server.
func (d *DryRun) AddFlag(cmd *cobra.Command) {
	cmd.Flags().Var(d, "dry-run", "have the API server check what would be written, and write nothing")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = dryRunServer
	// The only error is a flag that does not exist, which the lines above rule out.
	_ = cmd.RegisterFlagCompletionFunc("dry-run",
		cobra.FixedCompletions([]cobra.Completion{dryRunServer, "none"}, cobra.ShellCompDirectiveNoFileComp))
}

// Over is the client through which nothing is written in a dry run.
func (d DryRun) Over(c client.Client) client.Client {
	if d {
		return client.NewDryRunClient(c)
	}
	return c
}

// Suffix ends a sentence about what was written.
func (d DryRun) Suffix() string {
	if d {
		return " (server dry run)"
	}
	return ""
}
