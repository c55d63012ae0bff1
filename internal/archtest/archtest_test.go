package archtest

import (
	"bufio"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/odi-dev/odi"
	maxLines = 400
	maxMain  = 60 // of cmd/<x>/main.go: what it does belongs into the tree that it starts
)

// rule says what the packages below a folder may import of this module. A name
// in allow is a folder (and all below it); own folders and parents are named by
// the functions that use the rule.
type rule struct {
	tree  string
	allow []string
}

// rules is the table of docs/architecture.md. The first tree that matches counts.
var rules = []rule{
	{tree: "api", allow: []string{"api"}},
	{tree: "bpf/probe", allow: nil},
	{tree: "bpf", allow: []string{"bpf", "internal/procfs"}},
	{tree: "languages", allow: []string{"languages/language", "api"}},
	{tree: "destinations", allow: []string{"destinations", "api"}},
	{tree: "controllers", allow: []string{"api", "internal", "languages", "destinations"}},
	{tree: "instrumentor", allow: []string{"api", "internal", "languages"}},
	{tree: "agents", allow: []string{"agents", "hack"}}, // the tests build the files as the images have them
	{tree: "odiglet", allow: []string{"api", "bpf", "internal", "languages", "odiglet"}},
	{tree: "cli/run", allow: []string{"api", "internal", "cli", "odiglet"}},
	{tree: "cli/check", allow: []string{"api", "internal", "cli", "odiglet"}},
	{tree: "cli/instrument", allow: []string{"api", "internal", "cli", "languages"}},
	{tree: "cli", allow: []string{"api", "internal", "cli", "charts", "destinations", "instrumentor"}},
	{tree: "charts", allow: nil},
	{tree: "config", allow: nil},
	{tree: "internal", allow: []string{"internal", "api", "destinations", "config"}},
	{tree: "cmd/odi-manager", allow: []string{"api", "internal", "controllers", "instrumentor"}},
	{tree: "cmd/odiglet", allow: []string{"internal", "odiglet", "bpf/guard"}}, // the guard is a process of its own
	{tree: "cmd/odi-copy", allow: []string{"agents/copytree"}},
	{tree: "cmd/odi", allow: []string{"cli", "bpf/guard"}},
}

// free are the trees that may import everything, with the reason.
var free = map[string]string{
	"hack": "tools of the repository: no process of odi has a part of them",
	"test": "tests of everything together",
}

// thirdParty says which trees may import a library that belongs to one layer.
var thirdParty = map[string][]string{
	"github.com/cilium/ebpf":                 {"bpf", "odiglet/attach", "internal/testkit", "hack"},
	"sigs.k8s.io/controller-runtime":         {"controllers", "instrumentor", "cmd", "internal", "odiglet", "cli", "hack", "test"},
	"k8s.io/":                                {"api", "charts", "controllers", "instrumentor", "cmd", "internal", "odiglet", "cli", "hack", "test"},
	"github.com/spf13/cobra":                 {"cli", "cmd", "hack"},
	"helm.sh/helm":                           {"cli", "charts", "test"},
	"github.com/google/go-containerregistry": {"hack"},
}

type goFile struct {
	path    string // relative to the module's root, with slashes
	dir     string
	imports []string
	lines   int
	made    bool // generated
}

func TestImportsFollowTheHouse(t *testing.T) {
	for _, f := range sources(t) {
		for _, imp := range f.imports {
			if inner, ok := strings.CutPrefix(imp, module+"/"); ok {
				checkInner(t, f, inner)
				continue
			}
			checkThirdParty(t, f, imp)
		}
	}
}

// TestEveryTreeHasARule: a folder that nobody has thought of is not free to import what it likes.
func TestEveryTreeHasARule(t *testing.T) {
	used := map[string]bool{}
	for _, f := range sources(t) {
		tree := treeOf(f.dir)
		if used[tree] = true; tree == "" {
			t.Errorf("%s is in no tree of the table: say in `rules` what it may import", f.path)
		}
	}
	for _, r := range rules {
		if !used[r.tree] {
			t.Errorf("%s is in the table, and has no files", r.tree)
		}
	}
}

// treeOf is the tree whose rule counts for a folder, "" if there is none.
func treeOf(dir string) string {
	for _, r := range rules {
		if within(r.tree, dir) {
			return r.tree
		}
	}
	for tree := range free {
		if within(tree, dir) {
			return tree
		}
	}
	return ""
}

func checkInner(t *testing.T, f goFile, inner string) {
	t.Helper()
	if within(f.dir, inner) || strings.HasSuffix(f.path, "_test.go") && (within("internal/testkit", inner) || within("bpf/guard", inner)) {
		return
	}
	for _, r := range rules {
		if !within(r.tree, f.dir) {
			continue
		}
		if siblingOf(r.tree, f.dir, inner) {
			t.Errorf("%s imports %s: rooms of %s do not know each other", f.path, inner, r.tree)
			return
		}
		for _, a := range r.allow {
			if within(a, inner) {
				return
			}
		}
		if r.tree == f.dir && within(r.tree, inner) {
			return // The folder's own package assembles its rooms.
		}
		t.Errorf("%s imports %s, but %s may import only %v", f.path, inner, r.tree, r.allow)
		return
	}
}

// siblingOf says whether a room imports another room of the same floor.
func siblingOf(tree, dir, inner string) bool {
	switch tree {
	case "controllers", "destinations", "bpf":
	default:
		return false
	}
	if within("bpf/protocols", dir) {
		return false // it lists the rooms
	}
	shared := map[string]bool{"bpf/probe": true, "bpf/include": true, "bpf/protocols": true, "bpf/roomtest": true, "bpf/database": true, "bpf/web": true}
	return dir != tree && inner != tree && within(tree, inner) && !within(dir, inner) && !within(inner, dir) && !shared[inner]
}

func checkThirdParty(t *testing.T, f goFile, imp string) {
	t.Helper()
	for prefix, trees := range thirdParty {
		if !strings.HasPrefix(imp, prefix) {
			continue
		}
		ok := false
		for _, tree := range trees {
			ok = ok || within(tree, f.dir)
		}
		if !ok {
			t.Errorf("%s imports %s, which belongs to %v", f.path, imp, trees)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, f := range sources(t) {
		if !f.made && f.lines > maxLines {
			t.Errorf("%s has %d lines; at most %d are easy to read", f.path, f.lines, maxLines)
		}
		if within("cmd", f.dir) && filepath.Base(f.path) == "main.go" && f.lines > maxMain {
			t.Errorf("%s has %d lines; a main has at most %d", f.path, f.lines, maxMain)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range sources(t) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root(t), f.path), nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if !f.made && !strings.HasSuffix(f.path, "_test.go") {
			documented[f.dir] = documented[f.dir] || file.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("no file of %s has a package comment", dir)
		}
	}
}

// sources parses every Go file of the main module, without other modules and test data.
func sources(t *testing.T) []goFile {
	t.Helper()
	top := root(t)
	var files []goFile
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipForeign(top, path, d)
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := parse(top, path)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found; the walk is broken")
	}
	return files
}

func skipForeign(top, path string, d fs.DirEntry) error {
	if path == top {
		return nil
	}
	if strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parse(top, path string) (goFile, error) {
	rel, err := filepath.Rel(top, path)
	if err != nil {
		return goFile{}, err
	}
	rel = filepath.ToSlash(rel)
	f := goFile{path: rel, dir: filepath.ToSlash(filepath.Dir(rel))}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return f, err
	}
	for _, spec := range file.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, err
		}
		f.imports = append(f.imports, imp)
	}
	f.lines, f.made, err = measure(path)
	return f, err
}

// measure counts lines and looks for the mark of generated code.
func measure(path string) (lines int, made bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer file.Close()
	scan := bufio.NewScanner(file)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		lines++
		made = made || strings.HasPrefix(scan.Text(), "// Code generated ")
	}
	return lines, made, scan.Err()
}

// root finds the module's root above this package.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// within says whether dir is tree or lies below it.
func within(tree, dir string) bool {
	return dir == tree || strings.HasPrefix(dir, tree+"/")
}
