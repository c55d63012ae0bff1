package steady

import (
	"errors"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
)

// defaultScheme is that of a configuration's address without one. The collector
// asks for it; odi's addresses all have theirs.
const defaultScheme = "env"

// Command is the collector's own command line with a steadier root, with `try` and with `ask`.
func Command(set otelcol.CollectorSettings) *cobra.Command {
	var uris []string
	root := &cobra.Command{
		Use:          set.BuildInfo.Command,
		Version:      set.BuildInfo.Version,
		SilenceUsage: true,
		Args:         cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := withAddresses(set, uris)
			if err != nil {
				return err
			}
			return newRunner(set).run(cmd.Context())
		},
	}
	attempt := &cobra.Command{
		Use:   "try",
		Short: "Start all that a configuration has, on ports and in a folder that are thrown away",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := withAddresses(set, uris)
			if err != nil {
				return err
			}
			return try(cmd.Context(), set)
		},
	}
	question := newAsk(set, &uris)
	for _, cmd := range []*cobra.Command{root, attempt, question} {
		cmd.Flags().StringArrayVar(&uris, "config", nil, "where the configuration is, for example live:/etc/odi-collector/config.yaml")
	}
	root.AddCommand(attempt, question)
	for _, cmd := range otelcol.NewCommand(set).Commands() {
		root.AddCommand(cmd)
	}
	return root
}

func newAsk(set otelcol.CollectorSettings, uris *[]string) *cobra.Command {
	var destination string
	cmd := &cobra.Command{
		Use:   "ask",
		Short: "Send a marked span, metric and log record to one destination, and print its answers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := withAddresses(set, *uris)
			if err != nil {
				return err
			}
			return askBackend(cmd.Context(), cmd.OutOrStdout(), set, destination)
		},
	}
	cmd.Flags().StringVar(&destination, "destination", "", "which of the configuration's, as namespace/name")
	_ = cmd.MarkFlagRequired("destination") // The flag is there: the line above.
	return cmd
}

func withAddresses(set otelcol.CollectorSettings, uris []string) (otelcol.CollectorSettings, error) {
	if len(uris) == 0 {
		return set, errors.New("--config is required")
	}
	resolver := confmap.ResolverSettings{URIs: uris, DefaultScheme: defaultScheme}
	resolver.ProviderFactories = set.ConfigProviderSettings.ResolverSettings.ProviderFactories
	set.ConfigProviderSettings.ResolverSettings = resolver
	return set, nil
}
