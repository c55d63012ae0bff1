package agenttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/odi-dev/odi/hack/cluster/cache"
)

// unpacked is a folder of the cache with packages of a Debian, of which nothing is installed.
func unpacked(t testing.TB, name, suite, architecture string, packages []string) string {
	t.Helper()
	script, err := filepath.Abs("../agenttest/packages.sh") // Beside the folder of each agent's tests.
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := cache.Files(script)
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.Default()
	if err != nil {
		t.Fatal(err)
	}
	of := append([]string{suite, architecture}, packages...)
	dir, err := store.Make(name, cache.Key(append(inputs, of...)...), func(dir string) error {
		cmd := exec.Command(script, append([]string{dir}, of...)...)
		cmd.Stderr = os.Stderr
		return cmd.Run()
	})
	if err != nil {
		t.Fatal(fmt.Errorf("fetching packages of Debian %s: %w", suite, err))
	}
	return dir
}
