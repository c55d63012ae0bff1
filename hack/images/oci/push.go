package oci

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Push sends the image of an archive to a registry under a reference, with the
// credentials that `docker login` and its like have stored. A reference that
// begins with http:// means a registry without TLS.
func Push(ctx context.Context, archive, reference string) error {
	rules := []name.Option{name.StrictValidation}
	reference, plain := strings.CutPrefix(reference, "http://")
	if plain {
		rules = append(rules, name.Insecure)
	}
	tag, err := name.NewTag(reference, rules...)
	if err != nil {
		return fmt.Errorf("pushing %s: %w", reference, err)
	}
	dir, err := os.MkdirTemp("", "odi-push-")
	if err != nil {
		return fmt.Errorf("making a folder for the layout: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder.
	if err := extract(archive, dir); err != nil {
		return fmt.Errorf("reading %s: %w", archive, err)
	}
	all, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return fmt.Errorf("reading %s: %w", archive, err)
	}
	manifest, err := all.IndexManifest()
	if err != nil {
		return fmt.Errorf("reading %s: %w", archive, err)
	}
	if len(manifest.Manifests) != 1 {
		return fmt.Errorf("reading %s: it has %d images, want 1", archive, len(manifest.Manifests))
	}
	index, err := all.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		return fmt.Errorf("reading %s: %w", archive, err)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if err := remote.WriteIndex(tag, index, options...); err != nil {
		return fmt.Errorf("pushing %s: %w", reference, err)
	}
	return nil
}

// extract writes the files of an archive that WriteArchive made.
func extract(archive, dir string) error {
	in, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // It is only read.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // A folder.
	for entries := tar.NewReader(in); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := root.MkdirAll(filepath.Dir(header.Name), 0o700); err != nil {
			return err
		}
		out, err := root.Create(header.Name)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, entries)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
}
