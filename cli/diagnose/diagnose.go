package diagnose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
)

// flags of the command.
type flags struct {
	file    string
	timeout time.Duration
	dryRun  bool
}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "diagnose",
		Short: "Collect in one archive what helps to find out what is wrong",
		Long: `Collect in one archive what helps to find out what is wrong with odi: its objects,
conditions, Events, logs, metrics, configurations, versions, what nodes say, and the
checks of odi check, which run no pod here. It has at most 20 MB; what is larger is cut.
index.json in it says what there is, and what could not be had and why.

Secrets are left out: values of Secrets are never written, and where you may read those
of odi's namespace and of Destinations they are looked for in everything else. Values of
environment variables, annotations of others, headers, user names and queries in addresses,
and whatever looks like a key are replaced. Of users' workloads nothing is collected but
what odi itself says of them. Look into it all the same before you hand it on.

Exit codes: 0 when the archive was written, though something may be missing in it;
1 when it could not be, 2 for what is mistyped.`,
		Example: "  odi diagnose\n  odi diagnose --to /tmp/odi.tar.gz\n  odi diagnose --dry-run\n  odi diagnose --to - | tar tz",
		Args:    exit.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, f) },
	}
	cmd.Flags().StringVar(&f.file, "to", "", "`file` to write, - for stdout; default: odi-diagnose-<time>.tar.gz")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 20*time.Second, "how long all of it may take")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "list what would be collected, and the rights that it takes; no cluster is asked")
	// The only error is a flag that does not exist, which the lines above rule out.
	_ = cmd.MarkFlagFilename("to", "gz")
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags) error {
	if f.dryRun {
		return list(io)
	}
	if to.IsNowhere() {
		return clientcmd.ErrEmptyConfig // which is explained as everywhere
	}
	if f.file == "" {
		f.file = "odi-diagnose-" + time.Now().Format("20060102-150405") + ".tar.gz"
	}
	if f.file != "-" {
		if _, err := os.Lstat(f.file); err == nil {
			return exit.Usagef("%s exists; name another file with --to", f.file)
		}
	}
	within, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	c, err := newCollector(within, to)
	if err != nil {
		return err
	}
	parts := c.collect(within)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if f.file == "-" {
		_, err := pack(io.Out, parts, time.Now())
		return err
	}
	return save(io, f.file, parts)
}

// save writes the archive, or nothing.
func save(io streams.Streams, path string, parts []part) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making the archive: %w", err)
	}
	counted := &counter{to: file}
	missing, err := pack(counted, parts, time.Now())
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("writing the archive: %w", err), os.Remove(path))
	}
	fmt.Fprintf(io.Out, "%s: %d KiB, secrets left out; look into it before you hand it on\n", path, (counted.n+1023)>>10)
	if missing > 0 {
		fmt.Fprintf(io.Err, "%d things could not be had; index.json in it says which and why\n", missing)
	}
	return nil
}

// list prints the sources without asking anybody.
func list(io streams.Streams) error {
	t := output.Table{Columns: []string{"file", "what", "rights that it takes"}}
	for _, s := range sources() {
		t.Rows = append(t.Rows, []string{s.file, s.what, s.right})
	}
	return t.Print(output.Out(io), output.FormatTable)
}

// counter counts what goes through it.
type counter struct {
	to io.Writer
	n  int
}

// Write implements io.Writer.
func (c *counter) Write(data []byte) (int, error) {
	n, err := c.to.Write(data)
	c.n += n
	return n, err
}
