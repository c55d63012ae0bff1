package rootfs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// AddDebian adds packages and all that they depend on, as on a machine that
// has nothing yet. Maintainer scripts are not run. Documentation is left out.
func (t *Tree) AddDebian(ctx context.Context, packages []string) error {
	dir, err := os.MkdirTemp("", "odi-debian-")
	if err != nil {
		return fmt.Errorf("making a folder for packages: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder: the system removes what is left.
	files, err := download(ctx, dir, packages)
	if err != nil {
		return err
	}
	for _, name := range merged {
		if err := t.AddLink(name, "usr/"+name); err != nil {
			return err
		}
		if err := t.AddDir("usr/"+name, 0o755); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := t.addPackage(ctx, file, wanted); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(file), err)
		}
	}
	return nil
}

// AddCertificates adds the certificates of public authorities, as one file.
func (t *Tree) AddCertificates(ctx context.Context) error {
	certificates, err := New()
	if err != nil {
		return err
	}
	defer func() { _ = certificates.Close() }() // Temporary.
	dir, err := os.MkdirTemp("", "odi-debian-")
	if err != nil {
		return fmt.Errorf("making a folder for packages: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder: the system removes what is left.
	files, err := download(ctx, dir, []string{"ca-certificates"})
	if err != nil {
		return err
	}
	for _, file := range files {
		if !strings.HasPrefix(filepath.Base(file), "ca-certificates_") {
			continue
		}
		isCertificate := func(name string) bool { return strings.HasSuffix(name, ".crt") }
		if err := certificates.addPackage(ctx, file, isCertificate); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(file), err)
		}
	}
	return t.Add("etc/ssl/certs/ca-certificates.crt", 0o644, certificates.contents())
}

// contents is all files of the tree, one after the other.
func (t *Tree) contents() io.Reader {
	var parts []io.Reader
	for _, name := range t.order() {
		e := t.entries[name]
		parts = append(parts, io.NewSectionReader(t.spool, e.offset, e.header.Size))
	}
	return io.MultiReader(parts...)
}

// download lets apt find what packages need on an empty system, and fetches it.
func download(ctx context.Context, dir string, packages []string) ([]string, error) {
	status := filepath.Join(dir, "status") // No package is installed.
	archives := filepath.Join(dir, "archives")
	if err := errors.Join(os.WriteFile(status, nil, 0o644), os.MkdirAll(filepath.Join(archives, "partial"), 0o755)); err != nil {
		return nil, fmt.Errorf("preparing the download of packages: %w", err)
	}
	args := append([]string{
		"-qq", "-y", "--download-only", "--no-install-recommends",
		"-o", "Dir::State::status=" + status,
		"-o", "Dir::Cache::archives=" + archives,
		"-o", "APT::Sandbox::User=root", // Else a warning: its own user cannot write here.
		"install",
	}, packages...)
	if output, err := exec.CommandContext(ctx, "apt-get", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("downloading %s: %w; do the package lists need `apt-get update`?\n%s", strings.Join(packages, " "), err, output)
	}
	return filepath.Glob(filepath.Join(archives, "*.deb"))
}

func wanted(name string) bool {
	for _, unwanted := range []string{"usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/", "usr/share/lintian/", "usr/share/bug/"} {
		if strings.HasPrefix(name, unwanted) {
			return false
		}
	}
	return true
}

// addPackage adds the files of a package that are wanted.
func (t *Tree) addPackage(ctx context.Context, file string, want func(name string) bool) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", file)
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	adding := t.addTar(tar.NewReader(output), want)
	_, draining := io.Copy(io.Discard, output) // Else dpkg-deb would wait for a reader.
	return errors.Join(adding, draining, cmd.Wait())
}

func (t *Tree) addTar(in *tar.Reader, want func(name string) bool) error {
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := clean(header.Name)
		if name == "" || !want(name) || t.isMergedLink(name, header) {
			continue
		}
		var content io.Reader
		if header.Typeflag == tar.TypeReg {
			content = in
		}
		if err := t.add(*header, content); err != nil {
			return err
		}
	}
}

// isMergedLink says that an entry is the directory /bin or the like, which is a link here.
func (t *Tree) isMergedLink(name string, header *tar.Header) bool {
	return header.Typeflag == tar.TypeDir && t.entries[name].header.Typeflag == tar.TypeSymlink
}
