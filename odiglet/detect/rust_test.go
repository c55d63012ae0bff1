package detect_test

import (
	"os/exec"
	"strings"
	"testing"
)

// rust returns a compiler that works, and its version: one that is installed for
// another user may come first in the path.
func rust(t *testing.T) (compiler, version string) {
	t.Helper()
	for _, compiler := range []string{"rustc", "/usr/bin/rustc"} {
		out, err := exec.Command(compiler, "--version").Output()
		if fields := strings.Fields(string(out)); err == nil && len(fields) > 1 {
			return compiler, fields[1]
		}
	}
	need(t, "/usr/bin/rustc")
	return "", ""
}
