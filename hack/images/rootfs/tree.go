// Package rootfs gathers the files of an image layer, from files and from
// Debian packages, and writes them as a tar that depends on nothing but them:
// sorted, without times, owned by root. It needs no privileges and unpacks nothing.
package rootfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// Tree is a root file system in the making. Contents wait in a temporary file,
// since that of a Java runtime is larger than one wants to hold in memory.
type Tree struct {
	entries map[string]entry
	spool   *os.File
	size    int64
}

type entry struct {
	header tar.Header
	offset int64 // Of the content, in the spool.
}

// New is an empty tree; Close it.
func New() (*Tree, error) {
	spool, err := os.CreateTemp("", "odi-rootfs-")
	if err != nil {
		return nil, fmt.Errorf("making a file for the contents: %w", err)
	}
	return &Tree{entries: map[string]entry{}, spool: spool}, nil
}

// Close removes the temporary file.
func (t *Tree) Close() error {
	return errors.Join(t.spool.Close(), os.Remove(t.spool.Name()))
}

// Add puts a file into the tree; a file that was there before is replaced.
func (t *Tree) Add(name string, mode int64, content io.Reader) error {
	return t.add(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode}, content)
}

// AddFile puts a copy of a file of this machine into the tree.
func (t *Tree) AddFile(name, from string) error {
	file, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("adding %s: %w", name, err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("adding %s: %w", name, err)
	}
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	return t.Add(name, mode, file)
}

// AddDir puts a directory into the tree.
func (t *Tree) AddDir(name string, mode int64) error {
	return t.add(tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}, nil)
}

// AddLink puts a symbolic link into the tree.
func (t *Tree) AddLink(name, target string) error {
	return t.add(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
}

func (t *Tree) add(header tar.Header, content io.Reader) error {
	name := clean(header.Name)
	header.Name = name
	if header.Typeflag == tar.TypeLink {
		header.Linkname = clean(header.Linkname)
	}
	offset := t.size
	if content != nil {
		if _, err := t.spool.Seek(offset, io.SeekStart); err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
		n, err := io.Copy(t.spool, content)
		if err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
		header.Size = n
		t.size += n
	}
	t.entries[name] = entry{header, offset}
	return nil
}

// clean makes a path relative and follows the merge of /bin, /sbin and /lib
// into /usr: packages still ship files there, and the two must meet.
func clean(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	top, _, _ := strings.Cut(name, "/")
	if top != name && slices.Contains(merged, top) {
		return "usr/" + name
	}
	return name
}

var merged = []string{"bin", "sbin", "lib", "lib64"}

// Write writes the tree as a tar.
func (t *Tree) Write(to io.Writer) error {
	if err := t.completeDirs(); err != nil {
		return err
	}
	out := tar.NewWriter(to)
	for _, name := range t.order() {
		if err := t.writeEntry(out, t.entries[name]); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return out.Close()
}

// completeDirs adds the parents of all entries.
func (t *Tree) completeDirs() error {
	for name := range t.entries {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := t.entries[dir]; ok {
				continue
			}
			if err := t.AddDir(dir, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// order is the names, sorted; hard links come last, after what they link to.
func (t *Tree) order() []string {
	var names, links []string
	for name, e := range t.entries {
		if e.header.Typeflag == tar.TypeLink {
			links = append(links, name)
		} else if name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	slices.Sort(links)
	return append(names, links...)
}

func (t *Tree) writeEntry(out *tar.Writer, e entry) error {
	header := tar.Header{
		Typeflag: e.header.Typeflag, Name: e.header.Name, Linkname: e.header.Linkname,
		Mode: e.header.Mode, Size: e.header.Size, Format: tar.FormatPAX,
	}
	if header.Typeflag == tar.TypeDir {
		header.Name += "/"
	}
	if err := out.WriteHeader(&header); err != nil {
		return err
	}
	_, err := io.Copy(out, io.NewSectionReader(t.spool, e.offset, e.header.Size))
	return err
}
