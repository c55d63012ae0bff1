// Package odicollector finds the real odi-collector for tests.
package odicollector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// Binary is the path of odi-collector as built from collector/. In CI it is
// built when the cache has none; elsewhere the test is skipped, because a
// first build takes minutes.
func Binary(t testing.TB) string {
	t.Helper()
	script := filepath.Join(moduleRoot(t), "collector", "build.sh")
	binary := build(t, script, "--path")
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	if os.Getenv("CI") != "true" {
		t.Skipf("needs odi-collector: run collector/build.sh (4 minutes once)")
	}
	return build(t, script)
}

// moduleRoot is the folder above the test's own that has the module's go.mod.
// Paths from runtime.Caller would not do: builds with -trimpath have none.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the test's folder")
	return ""
}

func build(t testing.TB, script string, args ...string) string {
	t.Helper()
	cmd := program.CommandContext(t.Context(), t, script, args...)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("running %s: %v", script, err)
	}
	return strings.TrimSpace(string(output))
}
