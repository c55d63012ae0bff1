package add

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/manifests"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/destinations"
)

// flags of each subcommand.
type flags struct {
	name    string
	sources sources
	signals []string
	replace bool
	wait    bool
	timeout time.Duration
	export  bool
	dryRun  cluster.DryRun
	format  manifests.Format
	// answers are stdin where it was read from before: what was read ahead is the next answer.
	answers *bufio.Reader
}

// New returns the command with one subcommand per type of destination.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add <type>",
		Short: "Add a destination",
		Long: `Add a destination: a backend that receives the data. odi destination types lists
the types; odi destination add <type> --help tells what one of them needs. Without a
type, a terminal is asked for it.

Every field of a type is a flag. Required fields that are missing are asked for on
a terminal, and so is what given ones need: with --oauth2-token-url its client and
secret. Secrets never go on the command line: name an environment variable or
a file, or write one to stdin; they are stored in a Secret beside the Destination.`,
		Example: `  odi destination add jaeger --endpoint http://jaeger.observability:4317
  odi destination add otlp --name staging \
      --endpoint https://otlp.example.com:4317 --from-env header_value=API_KEY
  odi destination add otlphttp --endpoint https://otlp.example.com \
      --oauth2-token-url https://idp.example.com/oauth2/token \
      --oauth2-client-id odi --from-env oauth2_client_secret=CLIENT_SECRET
  vault read -field=token odi | odi destination add jaeger \
      --endpoint https://jaeger.example.com:4317 --from-stdin token`,
		Args:              func(_ *cobra.Command, args []string) error { return unknownType(args) },
		ValidArgsFunction: completeTypes,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !io.InTerminal {
				return cmd.Help()
			}
			return pickAndRun(cmd.Context(), io, to)
		},
	}
	// A flag that only types have comes before cobra looks whether there is such a type.
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if unknown := unknownType(cmd.Flags().Args()); unknown != nil {
			return unknown
		}
		return exit.Usagef("%w: it is a flag of a type, which comes first: %s <type>; odi destination types lists them", err, cmd.CommandPath())
	})
	types, err := destinations.Types()
	if err != nil {
		// The rooms are part of the program; a broken one is found by its own test.
		cmd.RunE = func(*cobra.Command, []string) error { return err }
		return cmd
	}
	for _, t := range types {
		cmd.AddCommand(newType(io, to, t))
	}
	return cmd
}

func unknownType(args []string) error {
	if len(args) == 0 {
		return nil
	}
	_, err := destinations.Get(args[0])
	return exit.AsUsage(err)
}

func newType(io streams.Streams, to *cluster.Cluster, t destinations.Type) *cobra.Command {
	f := flags{}
	cmd := &cobra.Command{
		Use:     t.Name,
		Short:   "Add " + t.Title,
		Long:    long(t),
		Example: Example(t),
		Args:    exit.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, t, f) },
		// A hundred of them say nothing; completion and odi destination types have them.
		Hidden: true,
	}
	cmd.Flags().StringVar(&f.name, "name", t.Name, "name of the destination")
	f.sources.addFlags(cmd.Flags(), t)
	cmd.Flags().StringSliceVar(&f.signals, "signals", nil, "`signals` to send; default: all that it takes ("+signalNames(t.Signals)+")")
	cmd.Flags().BoolVar(&f.replace, "replace", false, "change the destination if one of that name exists")
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait until the backend takes data, and test it with one of each signal")
	cmd.Flags().DurationVar(&f.timeout, "timeout", defaultTimeout, "how long to wait")
	cmd.Flags().BoolVar(&f.export, "export", false, "print the objects instead of applying them")
	f.dryRun.AddFlag(cmd)
	manifests.AddFlag(cmd, &f.format)
	completeFlags(cmd, t)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if meant := exit.FlagSuggestion(cmd, err); meant != "" {
			return exit.Usagef("%w%s", err, meant)
		}
		return exit.Usagef("%w; the fields of %s are %s; see %s --help", err, t.Name, fieldNames(t), cmd.CommandPath())
	})
	return cmd
}

// defaultTimeout is longer than a backend takes to be found and answer.
const defaultTimeout = 2 * time.Minute

func fieldNames(t destinations.Type) string {
	names := make([]string, 0, len(t.Fields))
	for _, field := range t.Fields {
		names = append(names, field.Name)
	}
	return strings.Join(names, ", ")
}

func signalNames(signals []odiv1.Signal) string {
	names := make([]string, 0, len(signals))
	for _, signal := range signals {
		names = append(names, string(signal))
	}
	return strings.Join(names, ", ")
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, t destinations.Type, f flags) error {
	if err := f.check(); err != nil {
		return err
	}
	given, err := gather(ctx, io, t, f)
	if err != nil {
		return err
	}
	namespace := to.NamespaceFlag()
	if f.export {
		if namespace == "" {
			namespace = odiv1.DefaultNamespace
		}
		return export(io, f.format, given.objects(t, f, namespace))
	}
	c, err := to.Client()
	if err != nil {
		return err
	}
	c = f.dryRun.Over(c)
	if namespace == "" {
		if namespace, err = cluster.OdiNamespace(ctx, c); err != nil {
			return err
		}
	}
	o := given.objects(t, f, namespace)
	if err := apply(ctx, io, c, o, f); err != nil || !f.wait {
		return err
	}
	return waiting{io: io, to: to, client: c, destination: o.destination}.wait(ctx, f.timeout)
}

// check finds what is wrong with flags alone.
func (f *flags) check() error {
	if wrong := validation.IsDNS1123Subdomain(f.name); len(wrong) > 0 {
		return exit.Usagef("--name %s: %s", f.name, wrong[0])
	}
	switch {
	case bool(f.dryRun) && f.wait:
		return exit.Usagef("--dry-run writes nothing that --wait could wait for")
	case bool(f.dryRun) && f.export:
		return exit.Usagef("--export asks no cluster, so that --dry-run means nothing with it")
	}
	return nil
}

// apply writes the objects and says so.
func apply(ctx context.Context, io streams.Streams, c client.Client, o objects, f flags) error {
	done, err := write(ctx, c, o, f.replace)
	if err != nil {
		return err
	}
	if f.format != "" {
		err = f.format.Print(io.Out, c.Scheme(), o.destination)
	} else {
		_, err = fmt.Fprintf(io.Out, "destination %s/%s %s%s\n", o.destination.Namespace, o.destination.Name, done, f.dryRun.Suffix())
	}
	if err == nil && !bool(f.dryRun) && !f.wait {
		fmt.Fprintf(io.Err, "See whether it takes data with: odi destination test %s%s\n", o.destination.Name, inNamespace(o.destination.Namespace))
	}
	return err
}

// inNamespace is the flag that finds it again, where odi is installed as it mostly is.
func inNamespace(namespace string) string {
	if namespace == odiv1.DefaultNamespace {
		return ""
	}
	return " -n " + namespace
}

// gather reads the fields of a destination, asks for those that are missing, and checks them all.
func gather(ctx context.Context, io streams.Streams, t destinations.Type, f flags) (values, error) {
	given, err := f.sources.read(ctx, io, t)
	if err != nil {
		return nil, err
	}
	if err := ask(ctx, io, t, given, f.answers); err != nil {
		return nil, err
	}
	if err := given.check(t, f.signals); err != nil {
		return nil, err
	}
	for _, field := range t.Fields {
		if hint := field.UsualPortOfAnother(given[field.Name]); hint != "" {
			fmt.Fprintf(io.Err, "%s: %s\n", field.Name, hint)
		}
	}
	return given, nil
}

func export(io streams.Streams, format manifests.Format, o objects) error {
	scheme, err := cluster.Scheme()
	if err != nil {
		return err
	}
	list := []client.Object{o.destination}
	if o.secret != nil {
		list = append([]client.Object{o.secret}, list...)
	}
	return format.Export(io.Out, scheme, list...)
}

// joined puts the problems of errors.Join on one line.
func joined(err error) error {
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return err
	}
	texts := make([]string, 0, len(many.Unwrap()))
	for _, one := range many.Unwrap() {
		texts = append(texts, one.Error())
	}
	return errors.New(strings.Join(texts, "; "))
}
