package version

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/version"
)

// facts are what a bug report needs.
type facts struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// New returns the command.
func New(io streams.Streams) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Long:    "Print the version of this program. The version that runs in the cluster is shown by odi status.",
		Example: "  odi version\n  odi version -o json",
		Args:    exit.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			f := facts{Version: version.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			if !format.ForPeople() {
				return output.Value(io.Out, format, f)
			}
			_, err := fmt.Fprintf(io.Out, "odi %s (%s, %s)\n", f.Version, f.Go, f.Platform)
			return err
		},
	}
	output.AddFlag(cmd, &format)
	return cmd
}
