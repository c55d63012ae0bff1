package api

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/odi-dev/odi/config"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestEveryFieldIsExplained keeps `kubectl explain --recursive` free of empty descriptions,
// and every string and list of a user's within a limit.
func TestEveryFieldIsExplained(t *testing.T) {
	files, err := fs.Glob(config.CRDs, "crd/*.yaml")
	if err != nil || len(files) != 4 {
		t.Fatalf("definitions: %v (%v), want 4", files, err)
	}
	for _, file := range files {
		content, err := fs.ReadFile(config.CRDs, file)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(content, &crd); err != nil {
			t.Fatalf("reading %s: %v", file, err)
		}
		if len(crd.Spec.Names.ShortNames) == 0 || len(crd.Spec.Names.Categories) == 0 {
			t.Errorf("%s has no short name or no category", crd.Name)
		}
		for _, version := range crd.Spec.Versions {
			if len(version.AdditionalPrinterColumns) == 0 || version.Subresources == nil || version.Subresources.Status == nil {
				t.Errorf("%s has no print columns or no status of its own", crd.Name)
			}
			schema := version.Schema.OpenAPIV3Schema
			if schema.Description == "" {
				t.Errorf("%s is not explained", crd.Name)
			}
			explained(t, crd.Spec.Names.Kind, *schema)
		}
	}
}

func explained(t *testing.T, path string, schema apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	for name, field := range schema.Properties {
		if name == "metadata" { // The API server explains it.
			continue
		}
		if field.Description == "" {
			t.Errorf("%s.%s is not explained", path, name)
		}
		explained(t, path+"."+name, field)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		explained(t, path+"[]", *schema.Items.Schema)
	}
}

// TestSamplesAreTaken creates every sample on a real API server.
func TestSamplesAreTaken(t *testing.T) {
	c := client.WithFieldValidation(testkit.Client(t, testkit.APIServer(t)), metav1.FieldValidationStrict)
	for _, namespace := range []string{"shop", "odi-system"} {
		testkit.Create(t, c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	}
	files, err := filepath.Glob("../../config/samples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		obj := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(content, obj); err != nil {
			t.Fatalf("reading %s: %v", file, err)
		}
		testkit.Create(t, c, obj)
	}
}
