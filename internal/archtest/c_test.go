package archtest

import (
	"bufio"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"testing"
)

// cShared are the folders below bpf that every room of C may include, besides itself, each
// after those that it may include itself.
var cShared = []string{"bpf/include", "bpf/exchange"}

// cNeighbours are the rooms that know another one, with the reason.
var cNeighbours = map[string]string{
	"bpf/propagate": "bpf/http1", // it writes a header of HTTP/1 where it is sent, and nothing else yet
}

// kernelHeader alone includes headers of the kernel and of libbpf, so that what the
// programs rely on is in one place.
const kernelHeader = "bpf/include/kernel.h"

var include = regexp.MustCompile(`^\s*#\s*include\s*([<"])([^>"]+)[>"]`)

// cFile is a file of C with what it includes: paths from the module's root, and names in angles.
type cFile struct {
	path, dir string
	includes  []string
	system    []string
	lines     int
}

func TestIncludesFollowTheHouse(t *testing.T) {
	for _, f := range cFiles(t) {
		if within("bpf", f.dir) && f.path != kernelHeader && len(f.system) > 0 {
			t.Errorf("%s includes %v, which belong to %s", f.path, f.system, kernelHeader)
		}
		for _, inner := range f.includes {
			if _, err := os.Stat(filepath.Join(root(t), inner)); err != nil {
				t.Errorf("%s includes %s, which is not there", f.path, inner)
			}
			if dir := path.Dir(inner); !mayInclude(f.dir, dir) {
				t.Errorf("%s includes %s: a room knows itself and %v", f.path, inner, cShared)
			}
		}
	}
}

// mayInclude says whether a file of a folder may include one of another: the tree's own
// files assemble its rooms.
func mayInclude(dir, inner string) bool {
	if within(dir, inner) {
		return true
	}
	if !within("bpf", dir) {
		return false
	}
	for _, shared := range cShared {
		if dir == shared {
			return false
		}
		if inner == shared {
			return true
		}
	}
	return cNeighbours[dir] == inner
}

func TestMayInclude(t *testing.T) {
	for name, tc := range map[string]struct {
		dir, inner string
		want       bool
	}{
		"itself":                          {"bpf/http1", "bpf/http1", true},
		"what is shared":                  {"bpf/http1", "bpf/include", true},
		"the tree assembles its rooms":    {"bpf", "bpf/http1", true},
		"a sibling":                       {"bpf/http1", "bpf/process", false},
		"a neighbour that is named":       {"bpf/propagate", "bpf/http1", true},
		"not the other way round":         {"bpf/http1", "bpf/propagate", false},
		"... of exchanges":                {"bpf/http1", "bpf/exchange", true},
		"exchanges know what is below":    {"bpf/exchange", "bpf/include", true},
		"not the other way":               {"bpf/include", "bpf/exchange", false},
		"exchanges know no protocol":      {"bpf/exchange", "bpf/http1", false},
		"what is shared knows no room":    {"bpf/include", "bpf/http1", false},
		"a room does not know the tree":   {"bpf/http1", "bpf", false},
		"elsewhere a folder knows itself": {"hack/prove/peer/c", "bpf/include", false},
	} {
		if got := mayInclude(tc.dir, tc.inner); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFilesOfCAreShort(t *testing.T) {
	for _, f := range cFiles(t) {
		if f.lines > maxLines {
			t.Errorf("%s has %d lines; at most %d are easy to read", f.path, f.lines, maxLines)
		}
	}
}

// cFiles reads every file of C of the main module.
func cFiles(t *testing.T) []cFile {
	t.Helper()
	top := root(t)
	var files []cFile
	err := filepath.WalkDir(top, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipForeign(top, at, d)
		}
		if ext := filepath.Ext(at); ext != ".c" && ext != ".h" {
			return nil
		}
		f, err := parseC(top, at)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no files of C found; the walk is broken")
	}
	return files
}

func parseC(top, at string) (cFile, error) {
	rel, err := filepath.Rel(top, at)
	if err != nil {
		return cFile{}, err
	}
	rel = filepath.ToSlash(rel)
	f := cFile{path: rel, dir: path.Dir(rel)}
	file, err := os.Open(at)
	if err != nil {
		return f, err
	}
	defer file.Close()
	scan := bufio.NewScanner(file)
	for scan.Scan() {
		f.lines++
		m := include.FindStringSubmatch(scan.Text())
		switch {
		case m == nil:
		case m[1] == "<":
			f.system = append(f.system, m[2])
		default:
			f.includes = append(f.includes, path.Join(f.dir, m[2]))
		}
	}
	return f, scan.Err()
}
