package libc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/procfs/elf"
)

// ErrStatic says that a program has no C library of its own file.
var ErrStatic = errors.New("a static binary has no C library")

// Place is a function in a file.
type Place struct {
	// File is the library, open for as long as the caller wants.
	File *os.File
	// Offset is in bytes, from the start of the file: of its entry, or of an instruction on every way through
	// it at which its second argument is where it was, and a probe costs less.
	Offset uint64
	// Library names the file.
	Library procfs.FileIdentity
	// Mapped is false for the library that the program's loader is expected to map.
	Mapped bool
}

// mapsMax bounds what is read of /proc/PID/maps, in bytes.
const mapsMax = 4 << 20

// Finder finds places. It reads each library once and may be used by several goroutines.
type Finder struct {
	function string
	offsets  *procfs.FileCache[uint64]
}

// NewFinder returns a finder for one function.
func NewFinder(function string) *Finder {
	return &Finder{function: function, offsets: procfs.NewFileCache[uint64](cacheSize)}
}

// Find returns where the function of a process's C library begins. The caller
// closes the file. ErrStatic means that there will never be one; any other error
// may be another one later.
func (f *Finder) Find(pid uint32) (Place, error) {
	p, err := procfs.Host.Open(int(pid))
	if err != nil {
		return Place{}, fmt.Errorf("finding a C library: %w", err)
	}
	defer func() { _ = p.Close() }()
	file, mapped, err := library(p)
	if err != nil {
		return Place{}, fmt.Errorf("finding the C library of process %d: %w", pid, err)
	}
	id, offset, err := f.offsetIn(file)
	if err != nil {
		_ = file.Close()
		return Place{}, fmt.Errorf("finding %s in %s: %w", f.function, file.Name(), err)
	}
	return Place{File: file, Offset: offset, Library: id, Mapped: mapped}, nil
}

// library opens the C library that is mapped, or the one that will be.
func library(p *procfs.Process) (file *os.File, mapped bool, err error) {
	if file, err = openMapped(p.PID()); err != nil || file != nil {
		return file, true, err
	}
	exe, err := p.OpenExe()
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = exe.Close() }()
	st, err := exe.Stat()
	if err != nil {
		return nil, false, err
	}
	bin, err := elf.New(exe, st.Size())
	if err != nil {
		return nil, false, err
	}
	loader := bin.Interp()
	if loader == "" {
		return nil, false, ErrStatic
	}
	for _, candidate := range candidates(loader) {
		if file, err = p.OpenFile(candidate); err == nil {
			return file, false, nil
		}
	}
	return nil, false, errors.New("it is not mapped yet, and not where it is expected")
}

// candidates are the paths of the library that a loader maps, the likeliest
// first: musl is its own loader, glibc's lies beside the library or in a folder
// that distributions agree on.
func candidates(loader string) []string {
	if isLibc(path.Base(loader)) {
		return []string{loader}
	}
	const name = "libc.so.6"
	all := []string{path.Join(path.Dir(loader), name)}
	for _, dir := range []string{"x86_64-linux-gnu", "aarch64-linux-gnu", ""} {
		all = append(all, path.Join("/lib", dir, name), path.Join("/usr/lib", dir, name))
	}
	return append(all, "/usr/lib64/"+name)
}

// openMapped opens the C library that a process has mapped, whatever has become
// of its name; nil where there is none yet.
func openMapped(pid int) (*os.File, error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	defer func() { _ = maps.Close() }() // read only
	m, ok := find(io.LimitReader(maps, mapsMax))
	if !ok {
		return nil, nil
	}
	if f, err := os.Open(fmt.Sprintf("/proc/%d/map_files/%s", pid, m.span)); err == nil {
		return f, nil
	}
	// Needs one more capability; the name leads to the same file nearly always.
	return os.Open(fmt.Sprintf("/proc/%d/root%s", pid, m.name))
}

// mapping is a piece of a file in memory: its addresses, as the kernel writes
// them, and the path of the file.
type mapping struct{ span, name string }

// find returns the first mapping of a C library in a list (proc_pid_maps(5)).
func find(maps io.Reader) (mapping, bool) {
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		front, file, found := strings.Cut(lines.Text(), "/")
		file = strings.TrimSuffix(file, " (deleted)")
		if found && isLibc(path.Base(file)) {
			span, _, _ := strings.Cut(front, " ")
			return mapping{span: span, name: "/" + file}, true
		}
	}
	return mapping{}, false
}

// isLibc knows the files of glibc (libc.so.6, before 2.34 libc-2.31.so) and musl.
func isLibc(base string) bool {
	return base == "libc.so.6" || strings.HasPrefix(base, "libc-2.") && strings.HasSuffix(base, ".so") ||
		strings.HasPrefix(base, "ld-musl-") || strings.HasPrefix(base, "libc.musl-")
}
