// Package build turns recipes into images in the cache. An image is made anew
// only when something that it is made from has changed.
package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/hack/cluster/programs"
	"github.com/odi-dev/odi/hack/images/oci"
	"github.com/odi-dev/odi/hack/images/recipe"
	"github.com/odi-dev/odi/hack/images/rootfs"
)

// format is part of every key; raise it when the same inputs give another image.
const format = "2"

// Builder builds images of one clone.
type Builder struct {
	Root  string // Of the clone.
	Cache cache.Dir
}

// archiveName is the file in an entry of the cache.
const archiveName = "image.tar"

// Archive returns the archive of an image for this machine's architecture.
func (b Builder) Archive(ctx context.Context, r recipe.Recipe) (string, error) {
	parts, err := b.gather(ctx, r, runtime.GOARCH)
	if err != nil {
		return "", fmt.Errorf("building %s: %w", r.Name, err)
	}
	dir, err := b.Cache.Make("images/"+r.ShortName(), parts.key, func(dir string) error {
		image, err := b.image(ctx, parts, dir)
		if err != nil {
			return err
		}
		if err := oci.WriteArchive(filepath.Join(dir, archiveName), r.Name, image); err != nil {
			return err
		}
		return os.Remove(filepath.Join(dir, layerName)) // The archive has it.
	})
	if err != nil {
		return "", fmt.Errorf("building %s: %w", r.Name, err)
	}
	return filepath.Join(dir, archiveName), nil
}

// Layout adds an image for several architectures to a layout folder.
func (b Builder) Layout(ctx context.Context, r recipe.Recipe, to string, architectures []string) error {
	if !r.Static() && !slices.Equal(architectures, []string{runtime.GOARCH}) {
		return fmt.Errorf("building %s: it is made from this machine's packages, so for %s only", r.Name, runtime.GOARCH)
	}
	var images []v1.Image
	for _, architecture := range architectures {
		work, err := os.MkdirTemp("", "odi-image-")
		if err != nil {
			return fmt.Errorf("making a folder for layers: %w", err)
		}
		defer func() { _ = os.RemoveAll(work) }() // A temporary folder; the layers are read until the layout is written.
		parts, err := b.gather(ctx, r, architecture)
		if err != nil {
			return fmt.Errorf("building %s for %s: %w", r.Name, architecture, err)
		}
		image, err := b.image(ctx, parts, work)
		if err != nil {
			return fmt.Errorf("building %s for %s: %w", r.Name, architecture, err)
		}
		images = append(images, image)
	}
	return oci.WriteLayout(to, r.Name, images...)
}

// parts is what an image is made of, before it is made.
type parts struct {
	recipe       recipe.Recipe
	architecture string
	release      string            // Of Debian, when its packages are needed.
	files        map[string]string // Path in the image -> file on this machine.
	key          string
}

// gather compiles what has to be compiled and hashes everything.
func (b Builder) gather(ctx context.Context, r recipe.Recipe, architecture string) (parts, error) {
	p := parts{recipe: r, architecture: architecture, files: map[string]string{}}
	for from, to := range r.Files {
		p.files[to] = filepath.Join(b.Root, from)
	}
	for _, program := range r.Go {
		binary, err := b.Compile(ctx, program, architecture)
		if err != nil {
			return parts{}, err
		}
		p.files[program.Target()] = binary
	}
	for script, to := range r.Scripts {
		binary, err := b.runScript(ctx, script, architecture)
		if err != nil {
			return parts{}, err
		}
		p.files[to] = binary
	}
	if err := b.addTrees(ctx, p); err != nil {
		return parts{}, err
	}
	if err := b.addPrograms(ctx, p); err != nil {
		return parts{}, err
	}
	var err error
	if len(r.Debian) > 0 || r.Certificates {
		if p.release, err = debianRelease(); err != nil {
			return parts{}, err
		}
	}
	p.key, err = b.hash(p)
	return p, err
}

func (b Builder) addTrees(ctx context.Context, p parts) error {
	for script, to := range p.recipe.Trees {
		if err := b.addTree(ctx, p, script, to); err != nil {
			return err
		}
	}
	return nil
}

// addPrograms adds the programs that are not of this repository.
func (b Builder) addPrograms(ctx context.Context, p parts) error {
	coredns, err := programs.CoreDNS(b.Root)
	if err != nil {
		return err
	}
	known := map[string]programs.Program{"jaeger": programs.Jaeger(), "coredns": coredns}
	for _, name := range p.recipe.Programs {
		program, ok := known[name]
		if !ok {
			return fmt.Errorf("program %q: want jaeger or coredns", name)
		}
		dir, err := program.Build(ctx, b.Cache)
		if err != nil {
			return err
		}
		p.files["/usr/bin/"+name] = filepath.Join(dir, name)
	}
	return nil
}

func (b Builder) hash(p parts) (string, error) {
	// As JSON: a pointer printed by fmt is another text in every run.
	recipe, err := json.Marshal(p.recipe)
	if err != nil {
		return "", fmt.Errorf("writing the recipe of %s: %w", p.recipe.Name, err)
	}
	inputs := []string{format, p.architecture, p.release, string(recipe)}
	paths := make([]string, 0, len(p.files))
	for to := range p.files {
		paths = append(paths, to)
	}
	slices.Sort(paths)
	for _, to := range paths {
		files, err := cache.Files(p.files[to])
		if err != nil {
			return "", err
		}
		inputs = append(append(inputs, to), files...)
	}
	if p.recipe.Java != nil {
		files, err := cache.Files(b.javaSources(p.recipe.Java)...)
		if err != nil {
			return "", err
		}
		inputs = append(inputs, files...)
	}
	return cache.Key(inputs...), nil
}

// Compile builds a Go program at a place in the cache that depends on where its
// source is: there the go command sees that nothing changed and does not even link.
func (b Builder) Compile(ctx context.Context, program recipe.GoProgram, architecture string) (string, error) {
	module := filepath.Join(b.Root, program.Module)
	key := cache.Key(module, program.Package, strings.Join(program.Flags, "\n"), architecture)
	binary := filepath.Join(b.Cache.Path("go/"+filepath.Base(program.Target()), key), filepath.Base(program.Target()))
	args := append([]string{"build", "-buildvcs=false", "-o", binary}, program.Flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, program.Package)...)
	cmd.Dir = module
	// No GOFLAGS: an image is the same however its build was called.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "GOWORK=off", "GOOS=linux", "GOARCH="+architecture)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling %s: %w\n%s", program.Package, err, output)
	}
	return binary, nil
}

// runScript runs a script of the clone that builds one file and prints where it is.
func (b Builder) runScript(ctx context.Context, script, architecture string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.Root, script))
	cmd.Dir = b.Root
	cmd.Env = append(os.Environ(), "GOARCH="+architecture)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("running %s: %w", script, err)
	}
	return strings.TrimSpace(string(output)), nil
}

func debianRelease() (string, error) {
	content, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", fmt.Errorf("finding the Debian release: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return name, nil
		}
	}
	return "", errors.New("finding the Debian release: /etc/os-release names none; base file systems need Debian or Ubuntu")
}

const layerName = "layer.tar"

// image makes the image; its own layer is a file in dir and must outlive it.
func (b Builder) image(ctx context.Context, p parts, dir string) (v1.Image, error) {
	var layers []string
	if len(p.recipe.Debian) > 0 {
		base, err := b.debianLayer(ctx, p)
		if err != nil {
			return nil, err
		}
		layers = append(layers, base)
	}
	own := filepath.Join(dir, layerName)
	if err := b.writeLayer(own, func(tree *rootfs.Tree) error { return b.fill(ctx, p, tree) }); err != nil {
		return nil, err
	}
	return oci.Image(oci.Config{
		Architecture: p.architecture,
		Entrypoint:   p.recipe.Entrypoint, User: p.recipe.User, WorkDir: p.recipe.WorkDir,
		Env: append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, p.recipe.Env...),
	}, append(layers, own)...)
}

// debianLayer makes the layer of packages once for all images that have the same.
func (b Builder) debianLayer(ctx context.Context, p parts) (string, error) {
	key := cache.Key(append([]string{format, p.release, p.architecture}, p.recipe.Debian...)...)
	dir, err := b.Cache.Make("layers/"+strings.Join(p.recipe.Debian, "+"), key, func(dir string) error {
		return b.writeLayer(filepath.Join(dir, layerName), func(tree *rootfs.Tree) error {
			return tree.AddDebian(ctx, p.recipe.Debian)
		})
	})
	return filepath.Join(dir, layerName), err
}

func (b Builder) writeLayer(file string, fill func(*rootfs.Tree) error) error {
	tree, err := rootfs.New()
	if err != nil {
		return err
	}
	defer func() { _ = tree.Close() }() // Temporary.
	if err := fill(tree); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("writing a layer: %w", err)
	}
	return errors.Join(tree.Write(out), out.Close())
}
