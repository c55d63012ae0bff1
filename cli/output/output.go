package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"
)

// Format is the value of -o.
type Format string

// The formats.
const (
	FormatTable Format = "table"
	FormatWide  Format = "wide"
	FormatJSON  Format = "json"
	FormatYAML  Format = "yaml"
)

// formats in the order of help.
var formats = []string{string(FormatTable), string(FormatWide), string(FormatJSON), string(FormatYAML)}

// String is the value as typed.
func (f *Format) String() string { return string(*f) }

// Set takes the value of the flag and refuses unknown ones.
func (f *Format) Set(text string) error {
	for _, known := range formats {
		if text == known {
			*f = Format(text)
			return nil
		}
	}
	return fmt.Errorf("valid are %s", strings.Join(formats, ", "))
}

// Type is shown in help.
func (f *Format) Type() string { return "format" }

// AddFlag adds -o to a command that reads.
func AddFlag(cmd *cobra.Command, f *Format) {
	*f = FormatTable
	cmd.Flags().VarP(f, "output", "o", "output `format`: "+strings.Join(formats, ", "))
	// The only error is a flag that does not exist, which the line above rules out.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(toCompletions(formats), cobra.ShellCompDirectiveNoFileComp))
}

func toCompletions(words []string) []cobra.Completion {
	return append([]cobra.Completion(nil), words...)
}

// ForPeople says whether the format is a table.
func (f Format) ForPeople() bool { return f == FormatTable || f == FormatWide }

// Table is columns and rows; the columns in Wide are shown by -o wide only and
// their cells stand at the end of each row.
type Table struct {
	Columns []string
	Wide    []string
	Rows    [][]string
}

// Print writes the table. Empty cells are shown as "-", so that columns can be cut by scripts.
func (t Table) Print(out io.Writer, format Format) error {
	w := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	columns := t.Columns
	if format == FormatWide {
		columns = append(append([]string(nil), columns...), t.Wide...)
	}
	fmt.Fprintln(w, strings.ToUpper(strings.Join(columns, "\t")))
	for _, row := range t.Rows {
		cells := make([]string, len(columns))
		for i := range cells {
			cells[i] = "-"
			if i < len(row) && row[i] != "" {
				cells[i] = row[i]
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// Value writes any value as JSON or YAML.
func Value(out io.Writer, format Format, value any) error {
	if format == FormatJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	data, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("rendering YAML: %w", err)
	}
	_, err = out.Write(data)
	return err
}

// List writes objects as one v1 List, as kubectl does.
func List(out io.Writer, format Format, scheme *runtime.Scheme, objects []client.Object) error {
	items := make([]any, 0, len(objects))
	for _, object := range objects {
		cleaned, err := clean(scheme, object)
		if err != nil {
			return err
		}
		items = append(items, cleaned)
	}
	return Value(out, format, map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}

// Manifests writes objects as YAML documents that `kubectl apply -f -` takes.
func Manifests(out io.Writer, scheme *runtime.Scheme, objects ...client.Object) error {
	for i, object := range objects {
		cleaned, err := clean(scheme, object)
		if err != nil {
			return err
		}
		delete(cleaned, "status")
		if spec, ok := cleaned["spec"].(map[string]any); ok {
			dropEmpty(spec)
		}
		if i > 0 {
			fmt.Fprintln(out, "---")
		}
		if err := Value(out, FormatYAML, cleaned); err != nil {
			return err
		}
	}
	return nil
}

// dropEmpty leaves out structs that say nothing.
func dropEmpty(spec map[string]any) {
	for key, value := range spec {
		if inner, ok := value.(map[string]any); ok && len(inner) == 0 {
			delete(spec, key)
		}
	}
}

// clean names the kind, which typed clients leave out, and drops what only servers read.
func clean(scheme *runtime.Scheme, object client.Object) (map[string]any, error) {
	gvk, err := apiutil.GVKForObject(object, scheme)
	if err != nil {
		return nil, fmt.Errorf("naming the kind of %s: %w", object.GetName(), err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("converting %s %s: %w", gvk.Kind, object.GetName(), err)
	}
	content["apiVersion"], content["kind"] = gvk.ToAPIVersionAndKind()
	if metadata, ok := content["metadata"].(map[string]any); ok {
		delete(metadata, "managedFields")
		if metadata["creationTimestamp"] == nil {
			delete(metadata, "creationTimestamp")
		}
	}
	return content, nil
}

// Objects is the items of a typed list.
func Objects(list client.ObjectList) ([]client.Object, error) {
	items, err := meta.ExtractList(list)
	if err != nil {
		return nil, fmt.Errorf("reading a list: %w", err)
	}
	objects := make([]client.Object, 0, len(items))
	for _, item := range items {
		object, ok := item.(client.Object)
		if !ok {
			return nil, fmt.Errorf("%T is no object", item)
		}
		objects = append(objects, object)
	}
	return objects, nil
}
