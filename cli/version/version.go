package version

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/version"
)

// patience with a cluster that does not answer: what this program is, is known without it.
const patience = 3 * time.Second

// facts are what a bug report needs.
type facts struct {
	Version  string   `json:"version"`
	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	Cluster  *ofOther `json:"cluster,omitempty"`
}

// ofOther is the odi in the cluster.
type ofOther struct {
	Context   string `json:"context,omitempty"`
	Version   string `json:"version,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	// Problem says why nothing is known of it; empty when something is.
	Problem string `json:"problem,omitempty"`
}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var format output.Format
	var alone bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program, and of odi in the cluster",
		Long: `Print the version of this program and, where a kubeconfig names a cluster, of odi in
the cluster. A cluster that does not answer is no failure.`,
		Example: "  odi version\n  odi version --client\n  odi version -o json",
		Args:    exit.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := ofThis()
			if !alone {
				f.Cluster = look(cmd.Context(), to)
			}
			if !format.ForPeople() {
				return output.Value(io.Out, format, f)
			}
			return f.print(output.Out(io))
		},
	}
	output.AddFlag(cmd, &format)
	cmd.Flags().BoolVar(&alone, "client", false, "ask no cluster")
	return cmd
}

func ofThis() facts {
	return facts{Version: version.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
}

// Line is what `odi --version` prints.
func Line() string { return ofThis().line() }

// look asks the cluster; nil where none is configured.
func look(ctx context.Context, to *cluster.Cluster) *ofOther {
	if to.IsNowhere() {
		return nil
	}
	found := &ofOther{Context: to.ContextName()}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := to.Client()
	if err != nil {
		found.Problem = to.Explain(err).Error()
		return found
	}
	namespace, installed, err := cluster.Installed(ctx, c)
	switch {
	case err != nil:
		found.Problem = to.Explain(err).Error()
	case installed == "":
		found.Problem = "odi is not installed"
	default:
		found.Namespace, found.Version = namespace, installed
	}
	return found
}

func (f facts) line() string { return fmt.Sprintf("odi %s (%s, %s)", f.Version, f.Go, f.Platform) }

func (f facts) print(out output.Page) error {
	if _, err := fmt.Fprintln(out, f.line()); err != nil || f.Cluster == nil {
		return err
	}
	if f.Cluster.Problem != "" {
		out.Line("in the cluster: ", f.Cluster.Problem)
		return nil
	}
	where := ""
	if f.Cluster.Context != "" {
		where = fmt.Sprintf(" (context %q)", f.Cluster.Context)
	}
	out.Line("in the cluster: ", fmt.Sprintf("odi %s in %s%s", f.Cluster.Version, f.Cluster.Namespace, where))
	return nil
}
