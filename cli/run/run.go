package run

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/samplerule"
)

// flags are what the user typed.
type flags struct {
	pids      []int
	ports     []int
	exes      []string
	routes    []string
	queryKeys []string
	sample    string
	rules     samplerule.List
	otlp      string
	output    string
	metrics   bool
	untouched bool
	verbose   bool
	asRoot    bool
	command   []string
}

// Output formats.
const (
	outputTree = "tree"
	outputJSON = "json"
	outputNone = "none"
)

var formats = []string{outputTree, outputJSON, outputNone}

const description = `Trace processes of this machine, without Kubernetes and without restarting them.

Processes are chosen by --pid, by the TCP --port that they listen on, by --exe (the
path or the file name of the executable), or by starting a command after "--"; their
children are traced too. The flags may be repeated and combined. A pid must exist;
for a port or an executable that is not there yet, odi waits.

Spans are printed as they happen, one tree per trace. With --otlp, or where one of the
standard OTEL_EXPORTER_OTLP_* variables names an endpoint, they are sent instead; -o
prints them as well. The protocol is OTEL_EXPORTER_OTLP_PROTOCOL, else http/protobuf
for the port 4318 and gRPC for any other.

A span is named after its route, which odi learns: GET /orders/{id}. What it cannot know,
--route tells it.

With --sample 0.1 a tenth of the traces that begin in these processes is recorded, and
whole ones only: requests that come with a traceparent are recorded, or not, as its
flag says. --sample-rule gives requests of HTTP/1 a share of their own, by path, or by
method and path; the first that fits counts. Metrics count every request.

SIGINT (ctrl-c) detaches from everything and prints the books: seen = sent + dropped.
With a command, SIGINT, SIGTERM and SIGHUP are passed on to it, unless it was sent
them together with odi (ctrl-c), and odi ends when it ends, with its exit code
(128 + N when signal N ended it). When nobody reads the output any more (| head),
the command is ended, the books are printed, and the exit code is 141.

With sudo, only odi runs as root: the command runs as the user who called sudo
(SUDO_UID, SUDO_GID), with that user's groups, HOME, USER and LOGNAME; the rest of
its environment, and PATH, are what sudo made of them. --as-root runs it as root.

Needs root, or the capabilities BPF, PERFMON, SYS_PTRACE and NET_ADMIN.`

// New returns the command.
func New(io streams.Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "run {--pid N | --port N | --exe NAME | -- COMMAND [ARG...]}",
		Short: "Trace processes of this machine, without Kubernetes",
		Long:  description,
		Example: `  sudo odi run --port 8080
  sudo odi run --exe nginx --exe python3
  sudo odi run --pid 4711 --otlp http://localhost:4318
  sudo odi run --port 8080 --route '/users/{name}' --route '/files/*'
  sudo odi run --port 8080 --sample 0.1 --sample-rule /healthz=0
  sudo odi run --as-root -- nginx -g 'daemon off;'
  sudo odi run -o json -- ./server --listen :8080 > spans.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return exit.Usagef("odi run: unexpected argument %q; a command goes after \"--\"", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.command = args
			if err := f.complete(cmd.Flags().Changed("output"), cmd.Flags().Changed("metrics")); err != nil {
				return err
			}
			return run(cmd.Context(), io, f)
		},
	}
	cmd.Flags().IntSliceVar(&f.pids, "pid", nil, "trace this process; may be repeated")
	cmd.Flags().IntSliceVar(&f.ports, "port", nil, "trace what listens on this TCP port; may be repeated")
	cmd.Flags().StringSliceVar(&f.exes, "exe", nil, "trace every process of this executable (path or file name); may be repeated")
	cmd.Flags().StringArrayVar(&f.queryKeys, "query-key", nil, "show the values of this key in queries, which are REDACTED otherwise; may be repeated")
	cmd.Flags().StringArrayVar(&f.routes, "route", nil, "name requests that fit after this route, for example /users/{name}, or /files/* for all that is below; may be repeated")
	cmd.Flags().StringVar(&f.sample, "sample", "", "record such a share of the traces that begin here, from 0 to 1 (default all)")
	cmd.Flags().Var(&f.rules, "sample-rule", "record such a share of the traces that HTTP/1 requests of a path begin, for example /healthz=0, or 'POST /orders/*=1'; may be repeated")
	cmd.Flags().BoolVar(&f.untouched, "no-propagation", false, "write no traceparent into what the processes send; requests that come with one still have their parent")
	cmd.Flags().StringVar(&f.otlp, "otlp", "", "send to this OTLP endpoint, for example http://localhost:4317 (gRPC) or http://localhost:4318 (http/protobuf)")
	cmd.Flags().StringVarP(&f.output, "output", "o", outputTree, "print spans as tree, json (OTLP/JSON lines) or none")
	// The only error is a flag that does not exist, which the line above rules out.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(append([]cobra.Completion(nil), formats...), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&f.metrics, "metrics", false, "print metrics too (with -o json); they are always sent with --otlp")
	cmd.Flags().BoolVar(&f.asRoot, "as-root", false, "run the command as root, not as the user who called sudo")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "log what odi does")
	return cmd
}

// complete checks the flags. Where spans are sent, none are printed unless asked for.
func (f *flags) complete(outputGiven, metricsGiven bool) error {
	if err := f.checkTargets(); err != nil {
		return err
	}
	if err := checkOTLP(f.otlp); err != nil {
		return err
	}
	if !slices.Contains(formats, f.output) {
		return exit.Usagef("odi run: unknown output %q; one of %s", f.output, strings.Join(formats, ", "))
	}
	if f.sendsOTLP() && !outputGiven {
		f.output = outputNone
	}
	if metricsGiven && f.metrics && f.output != outputJSON {
		return exit.Usagef("odi run: --metrics needs -o json")
	}
	return nil
}

// checkOTLP takes a URL, or host:port; of a name alone nobody knows the protocol and the port.
func checkOTLP(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	address, isURL := endpoint, strings.Contains(endpoint, "://")
	if isURL {
		parsed, err := url.Parse(endpoint)
		if err != nil || parsed.Hostname() == "" {
			return exit.Usagef("odi run: --otlp %s has no host; write for example http://localhost:4317", endpoint)
		}
		address = parsed.Host
		if parsed.Port() == "" {
			return nil // the scheme's own
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return exit.Usagef("odi run: --otlp %s is no address; write for example http://%s:4317 (gRPC) or http://%s:4318 (http/protobuf)",
			endpoint, strings.Trim(address, ":/"), strings.Trim(address, ":/"))
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return exit.Usagef("odi run: --otlp %s: the port %q is not between 1 and 65535", endpoint, port)
	}
	return nil
}

func (f *flags) checkTargets() error {
	if len(f.pids)+len(f.ports)+len(f.exes)+len(f.command) == 0 {
		return exit.Usagef("odi run: nothing to trace; give --pid N, --port N, --exe NAME, or -- COMMAND")
	}
	if f.asRoot && len(f.command) == 0 {
		return exit.Usagef("odi run: --as-root needs a command after \"--\"")
	}
	for _, pid := range f.pids {
		if pid <= 0 {
			return exit.Usagef("odi run: --pid %d is no process id", pid)
		}
	}
	for _, port := range f.ports {
		if port < 1 || port > 65535 {
			return exit.Usagef("odi run: --port %d is not between 1 and 65535", port)
		}
	}
	for _, exe := range f.exes {
		if strings.TrimSpace(exe) == "" {
			return exit.Usagef("odi run: --exe needs a name")
		}
	}
	return nil
}
