// Package oci assembles images from layers and writes them, without a daemon
// and without a registry: as an archive that containerd imports, or as a layout
// folder that tools push.
package oci

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Config is what an image says about how it is run.
type Config struct {
	Architecture string
	Entrypoint   []string
	Env          []string
	User         string
	WorkDir      string
}

// Image is an image of layers, which are tar files, and a config.
func Image(config Config, layers ...string) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, file := range layers {
		// The fastest compression: most images go no further than this machine.
		layer, err := tarball.LayerFromFile(file, tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, fmt.Errorf("reading the layer %s: %w", file, err)
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, fmt.Errorf("adding the layer %s: %w", file, err)
		}
	}
	described, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the image's config: %w", err)
	}
	described = described.DeepCopy()
	described.OS, described.Architecture = "linux", config.Architecture
	described.Config.Entrypoint, described.Config.Env = config.Entrypoint, config.Env
	described.Config.User, described.Config.WorkingDir = config.User, config.WorkDir
	image, err = mutate.ConfigFile(image, described)
	if err != nil {
		return nil, fmt.Errorf("writing the image's config: %w", err)
	}
	return image, nil
}

// WriteLayout writes an image, one manifest per architecture, into a layout folder.
func WriteLayout(dir, name string, images ...v1.Image) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return fmt.Errorf("reading the config of %s: %w", name, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: config.OS, Architecture: config.Architecture}},
		})
	}
	path, err := layout.FromPath(dir)
	if err != nil {
		if path, err = layout.Write(dir, empty.Index); err != nil {
			return fmt.Errorf("writing the layout %s: %w", dir, err)
		}
	}
	annotations := map[string]string{
		"io.containerd.image.name":          qualified(name), // What containerd calls it.
		"org.opencontainers.image.ref.name": name,            // What everything else does.
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(annotations)); err != nil {
		return fmt.Errorf("writing %s into the layout: %w", name, err)
	}
	return nil
}

// qualified adds the registry that a name without one means.
func qualified(name string) string {
	registry, _, found := strings.Cut(name, "/")
	if found && (strings.ContainsAny(registry, ".:") || registry == "localhost") {
		return name
	}
	return "docker.io/" + name
}

// WriteArchive writes an image as one file.
func WriteArchive(file, name string, image v1.Image) error {
	dir, err := os.MkdirTemp(filepath.Dir(file), ".layout-")
	if err != nil {
		return fmt.Errorf("making a folder for the layout: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // In a folder that is temporary itself.
	if err := WriteLayout(dir, name, image); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	defer func() { _ = out.Close() }() // Matters after an error only; else it is closed below.
	archive := tar.NewWriter(out)
	if err := addAll(archive, dir); err != nil {
		return fmt.Errorf("writing the archive of %s: %w", name, err)
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("writing the archive of %s: %w", name, err)
	}
	return out.Close()
}

func addAll(archive *tar.Writer, dir string) error {
	return filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		file, err := os.Open(at)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // It is only read.
		info, err := file.Stat()
		if err != nil {
			return err
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: filepath.ToSlash(name), Mode: 0o644, Size: info.Size()}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err = io.Copy(archive, file)
		return err
	})
}
