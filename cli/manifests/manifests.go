package manifests

import (
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/odi-dev/odi/cli/output"
)

// List writes objects as one v1 List, as kubectl does.
func List(out io.Writer, format output.Format, scheme *runtime.Scheme, objects []client.Object) error {
	items := make([]any, 0, len(objects))
	for _, object := range objects {
		cleaned, err := clean(scheme, object)
		if err != nil {
			return err
		}
		items = append(items, cleaned)
	}
	return output.Value(out, format, map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}

// Documents writes objects as YAML documents that `kubectl apply -f -` takes.
func Documents(out io.Writer, scheme *runtime.Scheme, objects ...client.Object) error {
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
		if err := output.Value(out, output.FormatYAML, cleaned); err != nil {
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
