package release

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"

	"github.com/odi-dev/odi/cli/exit"
)

// Values are the chart values of a command line.
type Values struct {
	files []string
	set   []string
}

// AddFlags adds -f and --set.
func (v *Values) AddFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&v.files, "values", "f", nil, "YAML `file` with chart values (- is stdin); may be repeated, later ones win")
	flags.StringArrayVar(&v.set, "set", nil, "one chart `value`, for example manager.replicas=2; may be repeated")
	// The only error is a flag that does not exist, which the line above rules out.
	_ = cmd.MarkFlagFilename("values", "yaml", "yml", "json")
}

// AddDowngradeFlag adds the flag that lets an older odi replace a newer one.
func AddDowngradeFlag(flags *pflag.FlagSet, into *bool) {
	flags.BoolVar(into, "force-downgrade", false, "go on although the cluster has a newer odi than this program")
}

// Merge reads the files and the single values, in this order of rising weight.
func (v *Values) Merge(stdin io.Reader) (map[string]any, error) {
	merged := map[string]any{}
	for _, path := range v.files {
		data, err := read(path, stdin)
		if err != nil {
			return nil, exit.Usagef("reading values: %w", err)
		}
		values, err := loader.LoadValues(bytes.NewReader(data))
		if err != nil {
			return nil, exit.Usagef("reading values from %s: %w", path, err)
		}
		merged = loader.MergeMaps(merged, values)
	}
	for _, value := range v.set {
		if err := strvals.ParseInto(value, merged); err != nil {
			return nil, exit.Usagef("reading --set %s: %w (write it as name=value)", value, err)
		}
	}
	return merged, nil
}

// MergeValues puts values over those that were given before; neither is changed.
func MergeValues(before, given map[string]any) map[string]any {
	return loader.MergeMaps(loader.MergeMaps(map[string]any{}, before), given)
}

func read(path string, stdin io.Reader) ([]byte, error) {
	if path != "-" {
		return os.ReadFile(path)
	}
	data, err := io.ReadAll(stdin)
	if err != nil {
		return nil, fmt.Errorf("stdin: %w", err)
	}
	return data, nil
}
