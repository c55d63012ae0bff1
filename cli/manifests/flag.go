package manifests

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/output"
)

// Format is the value of -o of a command that writes an object: empty for a sentence.
type Format string

// String is the value as typed.
func (f *Format) String() string { return string(*f) }

// Set takes the value of the flag and refuses unknown ones.
func (f *Format) Set(text string) error {
	switch output.Format(text) {
	case output.FormatJSON, output.FormatYAML:
		*f = Format(text)
		return nil
	}
	return fmt.Errorf("valid are %s, %s", output.FormatJSON, output.FormatYAML)
}

// Type is shown in help.
func (f *Format) Type() string { return "format" }

// AddFlag adds -o to a command that writes an object.
func AddFlag(cmd *cobra.Command, f *Format) {
	cmd.Flags().VarP(f, "output", "o", "print the object instead of a sentence: json, yaml")
	// The only error is a flag that does not exist, which the line above rules out.
	_ = cmd.RegisterFlagCompletionFunc("output",
		cobra.FixedCompletions([]cobra.Completion{string(output.FormatJSON), string(output.FormatYAML)}, cobra.ShellCompDirectiveNoFileComp))
}

// Export prints objects that kubectl applies; without a format as YAML.
func (f Format) Export(out io.Writer, scheme *runtime.Scheme, objects ...client.Object) error {
	if output.Format(f) == output.FormatJSON {
		return List(out, output.FormatJSON, scheme, objects)
	}
	return Documents(out, scheme, objects...)
}

// Print prints an object as it is in the cluster.
func (f Format) Print(out io.Writer, scheme *runtime.Scheme, object client.Object) error {
	cleaned, err := clean(scheme, object)
	if err != nil {
		return err
	}
	return output.Value(out, output.Format(f), cleaned)
}
