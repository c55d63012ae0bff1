// Package copytree copies an agent's files from its image to the volume that an application reads them
// from. It runs as whatever user the pod has, in a container with 32 MiB, and again after each restart of
// the pod's sandbox.
package copytree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The modes of what is written: the application may run as another user than the init container.
const (
	folderMode  = 0o755
	programMode = 0o755
	plainMode   = 0o644
)

// unfinished starts the names of files that are being written; what an earlier run left of them goes.
const unfinished = ".odi-copy-"

// Copy makes dst a copy of the folder src. A file appears whole or not at all; one that is the same already
// is not touched, since a program may have it open. What else is in dst stays.
func Copy(src, dst string) error {
	info, err := os.Stat(src)
	if err != nil {
		return fmt.Errorf("looking at the source: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("looking at the source: %s is not a folder", src)
	}
	if err := refuseNested(src, dst); err != nil {
		return err
	}
	return filepath.WalkDir(src, func(from string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading the source: %w", err)
		}
		rel, err := filepath.Rel(src, from)
		if err != nil {
			return fmt.Errorf("reading the source: %w", err)
		}
		return copyEntry(entry, from, filepath.Join(dst, rel), from == src)
	})
}

// refuseNested keeps a copy from being copied into itself without end.
func refuseNested(src, dst string) error {
	src, err := filepath.Abs(src)
	if err != nil {
		return fmt.Errorf("looking at the source: %w", err)
	}
	if dst, err = filepath.Abs(dst); err != nil {
		return fmt.Errorf("looking at the destination: %w", err)
	}
	if dst == src || strings.HasPrefix(dst, strings.TrimSuffix(src, "/")+"/") {
		return fmt.Errorf("%s lies inside of %s", dst, src)
	}
	return nil
}

func copyEntry(entry fs.DirEntry, from, to string, top bool) error {
	if entry.IsDir() || top { // The top may be a link to a folder.
		return makeFolder(to)
	}
	if !entry.Type().IsRegular() {
		return fmt.Errorf("copying %s: it is neither a file nor a folder", from)
	}
	info, err := entry.Info()
	if err != nil {
		return fmt.Errorf("reading the source: %w", err)
	}
	mode := fs.FileMode(plainMode)
	if info.Mode()&0o111 != 0 {
		mode = programMode
	}
	if err := copyFile(from, to, mode); err != nil {
		return fmt.Errorf("copying %s to %s: %w", from, to, err)
	}
	return nil
}

// makeFolder makes a folder that anybody can read, and takes the leftovers of an earlier run out of it.
func makeFolder(to string) error {
	if err := os.MkdirAll(to, folderMode); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if err := allow(to, folderMode); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(escape(to), unfinished+"*"))
	if err != nil {
		return fmt.Errorf("looking for leftovers: %w", err)
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a leftover: %w", err)
		}
	}
	return nil
}

// escape keeps Glob from reading a folder's name as a pattern.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// allow adds the bits of mode that are missing. A volume's own folder belongs to another user and mostly has
// them; then nothing must be changed.
func allow(name string, mode fs.FileMode) error {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("looking at the destination: %w", err)
	}
	if info.Mode().Perm()&mode == mode {
		return nil
	}
	if err := os.Chmod(name, info.Mode().Perm()|mode); err != nil {
		return fmt.Errorf("letting everybody read the destination: %w", err)
	}
	return nil
}

func copyFile(from, to string, mode fs.FileMode) error {
	same, err := equal(from, to)
	if err != nil {
		return err
	}
	if same {
		return allow(to, mode)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), unfinished)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)                            // In the kernel where it can, else by 32 KiB.
	err = errors.Join(err, out.Chmod(mode), out.Close()) // Chmod: the umask may be anything.
	if err == nil {
		err = os.Rename(out.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}

// equal says whether to exists with the content of from.
func equal(from, to string) (bool, error) {
	a, err := os.Open(from)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := os.Open(to)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return false, nil // One that cannot be read is replaced.
	}
	if err != nil {
		return false, err
	}
	defer b.Close()
	return sameContent(a, b)
}

func sameContent(a, b io.Reader) (bool, error) {
	ours, theirs := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errA := io.ReadFull(a, ours)
		m, errB := io.ReadFull(b, theirs)
		if n != m || !bytes.Equal(ours[:n], theirs[:m]) {
			return false, nil
		}
		switch {
		case ended(errA) && ended(errB):
			return true, nil
		case errA != nil || errB != nil:
			return false, errors.Join(errA, errB)
		}
	}
}

// ended says whether a file was read to its end.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
