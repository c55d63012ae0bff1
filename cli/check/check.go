// Package check implements `odi check`: whether odi can work in a cluster, or does,
// check by check; and without a cluster, what the kernel of this machine can do.
package check

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/cli/streams"
)

// flags of the command.
type flags struct {
	pre, host, cluster, noPods, noAsk bool
	timeout                           time.Duration
	values                            release.Values
	format                            format
}

// ofCluster are the flags that mean nothing to this machine.
var ofCluster = []string{"pre", "cluster", "no-pods", "no-ask", "timeout", "values", "set", "namespace", "context", "kubeconfig"}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	f := flags{format: formatTable}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check whether odi can work, here or in a cluster",
		Long: `Check whether odi can work in the cluster, or whether it does where it is installed.
Each check has a code; what is not well says why it matters and how to mend it.
What there is no evidence for is unknown, and says why; it is never called well.

Where no kubeconfig names a cluster, or with --host, it says instead what the kernel
of this machine can do: each feature is Active, Degraded or Unavailable, with the
reason. The engine is loaded for that and removed again; no process is touched.

In a cluster it only reads, and makes dry runs, but for one thing: to see nodes as the
odiglet will, it runs a Job of one pod on up to 16 of them, one of each kind of node
first, and removes it. The pod has odi's image and the odiglet's rights, and no token.
Before odi has a namespace, that is in one named odi-check, which is removed as well.
With --no-pods nothing is made, and the checks of nodes know less. Where nothing is
known of a destination, the gateway sends it one span, metric and log, as odi
destination test does; with --no-ask it does not.

Exit codes: 0 where nothing fatal is broken, 3 where something is, 2 for what is
mistyped, 1 when it could not be found out.`,
		Example: `  odi check --pre
  odi check -f values.yaml --no-pods
  odi check -o junit > odi.xml
  odi explain ODI-302
  sudo odi check --host`,
		Args: exit.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd, io, to, f) },
	}
	cmd.Flags().BoolVar(&f.pre, "pre", false, "make the checks of before an installation, also where odi is installed")
	cmd.Flags().BoolVar(&f.host, "host", false, "check this machine, also where a kubeconfig names a cluster")
	cmd.Flags().BoolVar(&f.cluster, "cluster", false, "check the cluster, and fail where no kubeconfig names one")
	cmd.Flags().BoolVar(&f.noPods, "no-pods", false, "run no pod on nodes")
	cmd.Flags().BoolVar(&f.noAsk, "no-ask", false, "send nothing to destinations of which nothing is known")
	cmd.Flags().DurationVar(&f.timeout, "timeout", defaultTimeout, "how long all of it may take")
	f.values.AddFlags(cmd)
	f.format.addFlag(cmd)
	cmd.MarkFlagsMutuallyExclusive("host", "cluster")
	return cmd
}

// run tells the two apart.
func run(cmd *cobra.Command, io streams.Streams, to *cluster.Cluster, f flags) error {
	if !f.host && (f.cluster || !to.IsNowhere()) {
		return ofTheCluster(cmd.Context(), io, to, f)
	}
	for _, name := range ofCluster {
		if cmd.Flags().Changed(name) && (f.host || name != "cluster") {
			return exit.Usagef("--%s is about a cluster, and this would check the machine; see odi check --help", name)
		}
	}
	return ofThisMachine(io, f)
}

// namespace is that of --namespace, else where odi is, else where it goes by default.
func namespace(ctx context.Context, to *cluster.Cluster) (namespace string, installed bool) {
	namespace = odiv1.DefaultNamespace
	c, err := to.Client()
	if err == nil {
		found, version, err := cluster.Installed(ctx, c)
		installed = err == nil && version != ""
		if installed {
			namespace = found
		}
	}
	if named := to.NamespaceFlag(); named != "" {
		return named, installed && named == namespace
	}
	return namespace, installed
}
