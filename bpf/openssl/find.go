package openssl

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/procfs"
)

const (
	mapsMax   = 32 << 20 // bytes read of /proc/PID/maps; a JVM has up to 6 MiB
	placesMax = 4        // copies in one process: its own, and those of wheels
	filesMax  = 16       // files with such a name that are looked into
	cacheSize = 1024     // files, with those that have none; a node has a few per image
)

// Place is a file with OpenSSL in it.
type Place struct {
	// File is open until the caller closes it.
	File *os.File
	// Library names the file.
	Library procfs.FileIdentity
	// Probes are in no stated order.
	Probes []Probe
}

// Finder finds places. It reads each file once and may be used by several goroutines.
type Finder struct {
	seen   *procfs.FileCache[[]Probe]
	loaded *procfs.FileCache[[]string] // by executable, see Expect
}

// NewFinder returns a finder that has seen nothing yet.
func NewFinder() *Finder {
	return &Finder{seen: procfs.NewFileCache[[]Probe](cacheSize), loaded: procfs.NewFileCache[[]string](cacheSize)}
}

// Find returns the places that a process has now: a library may be mapped later. The caller closes
// their files. No place and no error means that there is none at the moment.
func (f *Finder) Find(pid uint32) ([]Place, error) {
	p, err := procfs.Host.Open(int(pid))
	if err != nil {
		return nil, fmt.Errorf("finding OpenSSL: %w", err)
	}
	defer func() { _ = p.Close() }()
	var places []Place
	if exe, err := p.OpenExe(); err == nil {
		places = f.add(places, exe)
	}
	files, err := mappedFiles(p.PID())
	if err != nil {
		return places, fmt.Errorf("finding OpenSSL in process %d: %w", pid, err)
	}
	var names []string
	for _, m := range files {
		file, err := open(p, m)
		if err != nil {
			continue // it is gone, or no file
		}
		had := len(places)
		if places = f.add(places, file); len(places) > had {
			names = append(names, m.name)
		}
	}
	f.remember(p, names)
	return places, nil
}

// add adds a file that has OpenSSL in it, and closes any other.
func (f *Finder) add(places []Place, file *os.File) []Place {
	id, probes, err := f.probesIn(file)
	if err != nil || len(probes) == 0 || len(places) >= placesMax || has(places, id) {
		_ = file.Close()
		return places
	}
	return append(places, Place{File: file, Library: id, Probes: probes})
}

func has(places []Place, id procfs.FileIdentity) bool {
	for _, p := range places {
		if p.Library == id {
			return true
		}
	}
	return false
}

// open opens what a process has mapped, whatever has become of its name.
func open(p *procfs.Process, m mapping) (*os.File, error) {
	if f, err := reopen(fmt.Sprintf("/proc/%d/map_files/%s", p.PID(), m.span)); err == nil {
		return f, nil
	}
	// Needs one more capability; the name leads to the same file nearly always.
	return p.OpenFile(m.name)
}

// reopen opens what a link of proc leads to, if that is a regular file: opening a device does something to it.
func reopen(link string) (*os.File, error) {
	fd, err := unix.Open(link, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, procfs.ErrNotRegular
	}
	return os.Open("/proc/self/fd/" + strconv.Itoa(fd))
}

// mappedFiles lists the files with the name of such a library that are mapped to be run.
func mappedFiles(pid int) ([]mapping, error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if errors.Is(err, os.ErrNotExist) {
		return nil, procfs.ErrGone
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = maps.Close() }() // read only
	return list(io.LimitReader(maps, mapsMax)), nil
}

// mapping is a piece of a file in memory: its addresses, as the kernel writes
// them, and the path of the file.
type mapping struct{ span, name string }

// list reads a list of mappings (proc_pid_maps(5)); each file is named once.
func list(maps io.Reader) []mapping {
	var found []mapping
	seen := map[string]bool{}
	for lines := bufio.NewScanner(maps); lines.Scan() && len(found) < filesMax; {
		front, file, ok := strings.Cut(lines.Text(), "/")
		file = "/" + strings.TrimSuffix(file, " (deleted)")
		fields := strings.Fields(front)
		if !ok || len(fields) < 2 || !strings.Contains(fields[1], "x") || seen[file] || !isLibrary(path.Base(file)) {
			continue
		}
		seen[file] = true
		found = append(found, mapping{span: fields[0], name: file})
	}
	return found
}

// isLibrary knows the names of OpenSSL's library: libssl.so.3, libssl.so.1.1, those of wheels
// (libssl-6f61c0b0.so.3), and that of Node.js as a library (libnode.so.115).
func isLibrary(base string) bool {
	return (strings.HasPrefix(base, "libssl") || strings.HasPrefix(base, "libnode")) && strings.Contains(base, ".so")
}
