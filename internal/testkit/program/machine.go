package program

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// listFile is the list of packages in the clone.
const listFile = "hack/packages.txt"

// machine is a Debian or Ubuntu, and which of its packages a fresh one has as well. Tests may
// ask it side by side.
type machine struct {
	root      string // "/", except in the tests of this package.
	installed []pkg
	fresh     map[string]bool

	mu    sync.Mutex
	files map[string][]byte // By package: its files, a path in each line.
}

// open reads the machine's package database and the list of the clone.
func open(clone string, more []string) (*machine, error) {
	list, err := os.ReadFile(filepath.Join(clone, listFile))
	if err != nil {
		return nil, fmt.Errorf("reading the list of packages: %w", err)
	}
	return newMachine("/", slices.Concat(names(string(list)), Prerequisites, more))
}

func newMachine(root string, wanted []string) (*machine, error) {
	status, err := os.Open(filepath.Join(root, "var/lib/dpkg/status"))
	if err != nil {
		return nil, fmt.Errorf("reading the database of dpkg (the tests need Debian or Ubuntu): %w", err)
	}
	defer status.Close()
	installed, err := readPackages(status)
	if err != nil {
		return nil, fmt.Errorf("reading the database of dpkg: %w", err)
	}
	return &machine{
		root: root, installed: installed, fresh: closure(installed, wanted), files: map[string][]byte{},
	}, nil
}

// names are the first words of the lines.
func names(list string) []string {
	var found []string
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(fields[0], "#") {
			found = append(found, fields[0])
		}
	}
	return found
}

// find returns where a program of a fresh machine is.
func (m *machine) find(name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	places := []string{name}
	if !strings.HasPrefix(name, "/") {
		places = nil
		for folder := range strings.SplitSeq(Folders, ":") {
			places = append(places, folder+"/"+name)
		}
	}
	var problems []error
	for _, place := range places {
		err := m.isFresh(place)
		if err == nil {
			return place, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
	}
	// An alternative may lead to a program of no package, while the package's own is elsewhere.
	for _, place := range m.called(filepath.Base(name)) {
		if !strings.HasPrefix(name, "/") && m.isFresh(place) == nil {
			return place, nil
		}
	}
	if len(problems) > 0 {
		return "", problems[0]
	}
	return "", fmt.Errorf("%s: no package of %s has it on this machine; is its package in the list, and did `make setup` run?", name, listFile)
}

// isFresh returns nil when the file that a path leads to is there on a fresh machine.
func (m *machine) isFresh(path string) error {
	real, err := m.resolve(path)
	if err != nil {
		return err
	}
	for _, p := range m.installed {
		if m.fresh[p.name] && m.has(p, real) {
			return nil
		}
	}
	for _, p := range m.installed {
		if m.has(p, real) {
			return fmt.Errorf("%s is of the package %s, which a fresh machine lacks: %s neither lists it nor anything that depends on it", path, p.name, listFile)
		}
	}
	return fmt.Errorf("%s is of no package, so a fresh machine lacks it: it leads to %s", path, real)
}

// resolve follows symbolic links; the result is a path below the machine's root.
func (m *machine) resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(filepath.Join(m.root, path))
	if err != nil {
		return "", err
	}
	return "/" + strings.TrimPrefix(strings.TrimPrefix(real, m.root), "/"), nil
}

// has says whether the package has a file. Where /bin is a link to /usr/bin, packages still list either.
func (m *machine) has(p pkg, file string) bool {
	files := m.filesOf(p)
	plain := strings.TrimPrefix(file, "/usr")
	return bytes.Contains(files, []byte("\n"+file+"\n")) || bytes.Contains(files, []byte("\n"+plain+"\n"))
}

// called lists the programs of a fresh machine with a name, wherever they are.
func (m *machine) called(name string) []string {
	var found []string
	for _, p := range m.installed {
		if !m.fresh[p.name] {
			continue
		}
		for _, folder := range []string{"/bin/", "/sbin/"} {
			for line := range bytes.Lines(m.filesOf(p)) {
				if path := string(bytes.TrimSpace(line)); strings.HasSuffix(path, folder+name) {
					found = append(found, path)
				}
			}
		}
	}
	return found
}

func (m *machine) filesOf(p pkg) []byte {
	if files, ok := m.files[p.name]; ok {
		return files
	}
	files := []byte("\n")
	for _, name := range []string{p.name, p.name + ":" + p.architecture} {
		// One of the two is there; a package without either has no files.
		if list, err := os.ReadFile(filepath.Join(m.root, "var/lib/dpkg/info", name+".list")); err == nil {
			files = append(files, list...)
		}
	}
	m.files[p.name] = files
	return files
}
