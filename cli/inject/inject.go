// Package inject implements `odi inject`: what the pod webhook does, on manifests.
package inject

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/instrumentor"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

type flags struct {
	file, agent, repository, odiNamespace string
	containers                            []string
	delivery                              instrumentor.Delivery
}

// New returns the command.
func New(streams streams.Streams) *cobra.Command {
	f := flags{delivery: instrumentor.InitContainer}
	cmd := &cobra.Command{
		Use:   "inject -f FILE --agent LANGUAGE[=VERSION|=IMAGE]",
		Short: "Add a language agent to manifests, as the webhook adds it to pods",
		Long: `Add a language agent to the pods and pod templates of manifests, as odi's webhook
adds it to new pods, and print them. Nothing is sent to a cluster. What is left as it
is, and why, is said on standard error. Comments are lost; other documents pass through.
What the image or envFrom sets cannot be seen here: where it sets a variable that the
agent needs, the value in the manifest takes its place.`,
		Example: `  odi inject -f deployment.yaml --agent java | kubectl apply -f -
  kubectl get deployment cart -o yaml | odi inject -f - --agent nodejs=0.82.0-odi.1 --container web
  odi inject -f app.yaml --agent dotnet=registry.example.com/otel-dotnet:1.15.0`,
		Args: exit.NoArgs,
		RunE: func(*cobra.Command, []string) error { return run(streams, f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "filename", "f", "", "`file` with manifests in YAML or JSON; - for standard input")
	flags.StringVar(&f.agent, "agent", "", "`agent` to add: "+strings.Join(instrumentor.Languages(), ", ")+"; with =VERSION or =IMAGE")
	flags.StringSliceVar(&f.containers, "container", nil, "`name` of a container that gets it, also an init container (default every container)")
	flags.StringVar(&f.repository, "repository", "ghcr.io/odi-dev", "`repository` of odi's agent images")
	flags.StringVar(&f.odiNamespace, "odi-namespace", odiv1.DefaultNamespace, "`namespace` that odi is installed in, to which agents send")
	flags.Func("delivery", "how the agent's files come into pods: init-container or image-volume (default init-container)", func(text string) error {
		if text == string(instrumentor.DeliveryAuto) {
			return fmt.Errorf("valid are %s, %s", instrumentor.InitContainer, instrumentor.ImageVolume)
		}
		return f.delivery.Set(text)
	})
	for flag, words := range map[string][]string{
		"agent": instrumentor.Languages(), "delivery": {string(instrumentor.InitContainer), string(instrumentor.ImageVolume)},
	} {
		// The only error is a flag that does not exist, which the lines above rule out.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(append([]cobra.Completion(nil), words...), cobra.ShellCompDirectiveNoFileComp))
	}
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")
	return cmd
}

func run(streams streams.Streams, f flags) error {
	agent, err := f.reference()
	if err != nil {
		return err
	}
	text, err := f.read(streams.In)
	if err != nil {
		return err
	}
	m := manifests{agent: agent, flags: f, notes: streams.Err}
	out, err := m.inject(text)
	if err != nil {
		return err
	}
	if _, err := streams.Out.Write(out); err != nil {
		return fmt.Errorf("printing the manifests: %w", err)
	}
	return nil
}

func (f flags) read(in io.Reader) ([]byte, error) {
	switch f.file {
	case "":
		return nil, exit.Usagef("what to add the agent to is missing: -f FILE, or -f - for standard input")
	case "-":
		text, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return text, nil
	}
	text, err := os.ReadFile(f.file)
	if err != nil {
		return nil, exit.Usagef("reading the manifests: %w", err)
	}
	return text, nil
}

// reference reads --agent. An image is told from a version by its colon, slash or digest.
func (f flags) reference() (odiv1.AgentReference, error) {
	name, choice, _ := strings.Cut(f.agent, "=")
	known := strings.Join(instrumentor.Languages(), ", ")
	switch {
	case name == "":
		return odiv1.AgentReference{}, exit.Usagef("which agent is missing: --agent LANGUAGE, one of %s", known)
	case !instrumentor.Has(name):
		return odiv1.AgentReference{}, exit.Usagef("there is no agent for %q; one of %s", name, known)
	}
	if strings.ContainsAny(choice, ":/") {
		return odiv1.AgentReference{Language: name, Version: "own", Image: choice}, nil
	}
	if choice == "" {
		choice = instrumentor.Newest(name)
	}
	if choice == "" {
		return odiv1.AgentReference{}, exit.Usagef("odi has no agent of its own for %s: name its image, --agent %s=IMAGE", name, name)
	}
	return odiv1.AgentReference{Language: name, Version: choice, Image: instrumentor.Image(f.repository, name, choice)}, nil
}
