package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/odi-dev/odi/hack/images/recipe"
	"github.com/odi-dev/odi/hack/images/rootfs"
)

// users are in every image; whoever runs as one of them can look up its name.
const (
	users = `root:x:0:0:root:/root:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/usr/sbin/nologin
`
	groups = `root:x:0:
www-data:x:33:
nogroup:x:65534:
nonroot:x:65532:
`
)

// fill puts everything but packages into the tree.
func (b Builder) fill(ctx context.Context, p parts, tree *rootfs.Tree) error {
	for name, content := range map[string]string{
		"etc/passwd":        users,
		"etc/group":         groups,
		"etc/nsswitch.conf": "hosts: files dns\n",
	} {
		if err := tree.Add(name, 0o644, strings.NewReader(content)); err != nil {
			return err
		}
	}
	if err := tree.AddDir("tmp", 0o1777); err != nil {
		return err
	}
	for to, from := range p.files {
		if err := tree.AddFile(to, from); err != nil {
			return err
		}
	}
	if p.recipe.Certificates {
		if err := tree.AddCertificates(ctx); err != nil {
			return err
		}
	}
	if p.recipe.Java != nil {
		return b.addClasses(ctx, p.recipe.Java, tree)
	}
	return nil
}

func (b Builder) javaSources(java *recipe.Java) []string {
	var sources []string
	for _, source := range java.Sources {
		sources = append(sources, filepath.Join(b.Root, source))
	}
	return sources
}

// addClasses compiles Java sources and adds the classes.
func (b Builder) addClasses(ctx context.Context, java *recipe.Java, tree *rootfs.Tree) error {
	dir, err := os.MkdirTemp("", "odi-classes-")
	if err != nil {
		return fmt.Errorf("making a folder for classes: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder: the system removes what is left.
	// The release of the runtime that Debian packages have, whatever compiler is here.
	args := append([]string{"--release", "17", "-d", dir}, b.javaSources(java)...)
	if output, err := exec.CommandContext(ctx, "javac", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("compiling Java (javac is in the package openjdk-17-jdk-headless): %w\n%s", err, output)
	}
	return filepath.WalkDir(dir, func(at string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		return tree.AddFile(filepath.Join(java.To, name), at)
	})
}
