package oci

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func image(t *testing.T, architecture string) v1.Image {
	t.Helper()
	file := filepath.Join(t.TempDir(), "layer.tar")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tar.NewWriter(out).Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	image, err := Image(Config{Architecture: architecture, Entrypoint: []string{"/x"}, User: "65532"}, file)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestLayoutHoldsAManifestPerArchitecture(t *testing.T) {
	dir := t.TempDir()
	if err := WriteLayout(dir, "ghcr.io/odi-dev/x:1", image(t, "amd64"), image(t, "arm64")); err != nil {
		t.Fatal(err)
	}
	if err := WriteLayout(dir, "ghcr.io/odi-dev/y:1", image(t, "amd64")); err != nil {
		t.Fatal(err)
	}
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(root); err != nil {
		t.Error(err)
	}
	manifest, err := root.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, described := range manifest.Manifests {
		index, err := root.ImageIndex(described.Digest)
		if err != nil {
			t.Fatal(err)
		}
		inner, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inner.Manifests {
			name := described.Annotations["org.opencontainers.image.ref.name"]
			got[name] = append(got[name], m.Platform.String())
		}
	}
	want := map[string][]string{"ghcr.io/odi-dev/x:1": {"linux/amd64", "linux/arm64"}, "ghcr.io/odi-dev/y:1": {"linux/amd64"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestArchiveIsALayoutInOneFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := WriteArchive(file, "odi-demo/x:dev", image(t, "amd64")); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var names []string
	for archive := tar.NewReader(in); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
	}
	if !slices.Contains(names, "index.json") || !slices.Contains(names, "oci-layout") || len(names) != 6 {
		t.Errorf("got %v, want index.json, oci-layout and four blobs", names)
	}
}

func TestQualified(t *testing.T) {
	tests := map[string]struct{ name, want string }{
		"a registry":             {"ghcr.io/odi-dev/odi:0.1.0", "ghcr.io/odi-dev/odi:0.1.0"},
		"a registry with a port": {"registry:5000/x:1", "registry:5000/x:1"},
		"this machine":           {"localhost/x:1", "localhost/x:1"},
		"no registry":            {"odi-demo/x:dev", "docker.io/odi-demo/x:dev"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := qualified(tc.name); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
