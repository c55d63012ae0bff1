package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Folders are where the distribution's packages have their programs. A PATH of these alone starts
// no program that was installed by other means.
const Folders = "/usr/sbin:/usr/bin:/sbin:/bin"

// Prerequisites are the packages that the README asks for; Go is no package there.
var Prerequisites = []string{"ca-certificates", "git", "make"}

// Need returns the path of a program that a test starts, and fails the test when a fresh machine
// would not have it there. The name is a plain one ("nginx"), or a path; what lies in the clone, in
// the cache or in a temporary folder was built by the test itself and is taken as it is. Where
// another program of that name comes first in the PATH, the distribution's one is returned.
func Need(t testing.TB, name string) string {
	t.Helper()
	path, err := find(moduleRoot(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Check says why a fresh machine would not have a program, or nothing. More packages than the
// list's may be named: those that a script of the repository installs by itself.
func Check(t testing.TB, name string, more ...string) error {
	t.Helper()
	root := moduleRoot(t)
	if len(more) == 0 || isGo(name) {
		_, err := find(root, name)
		return err
	}
	m, err := open(root, more)
	if err != nil {
		return err
	}
	_, err = m.find(name)
	return err
}

// theList is opened once: the packages do not change while a test runs.
var theList = sync.OnceValues(func() (*machine, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	root, err := rootAbove(dir)
	if err != nil {
		return nil, err
	}
	return open(root, nil)
})

func find(root, name string) (string, error) {
	if isGo(name) {
		return exec.LookPath(name) // `go test` puts its own toolchain first.
	}
	if strings.Contains(name, "/") {
		path, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		if ours(root, path) {
			return path, nil
		}
		name = path
	}
	m, err := theList()
	if err != nil {
		return "", err
	}
	return m.find(name)
}

// isGo says whether it is of the Go toolchain, which is a prerequisite and no package.
func isGo(name string) bool { return name == "go" || name == "gofmt" }

// ours says whether something lies where the tests and their tools build.
func ours(root, path string) bool {
	places := []string{root, os.TempDir()}
	if cache, err := os.UserCacheDir(); err == nil {
		places = append(places, filepath.Join(cache, "odi"))
	}
	if self, err := os.Executable(); err == nil {
		places = append(places, filepath.Dir(self))
	}
	for _, place := range places {
		if strings.HasPrefix(path, strings.TrimSuffix(place, "/")+"/") {
			return true
		}
	}
	return path == "/proc/self/exe"
}

// moduleRoot is the folder of the module's go.mod, above the test's own.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := rootAbove(dir)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func rootAbove(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, listFile)); err == nil {
			return at, nil
		}
		if at == "/" {
			return "", fmt.Errorf("finding the list of packages: no %s above %s", listFile, dir)
		}
	}
}
