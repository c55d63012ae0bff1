package python_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odi-dev/odi/agents/agenttest"
)

var wide = flag.Bool("wide", false, "run the servers on every CPython too, and with those of Debian sid")

// inSid marks the interpreters that are in Debian sid's folder, onARM64 that which an emulator runs.
const inSid, onARM64 = "sid:", "arm64:"

// interpreters are Debian's, and those of pyenv, of ODI_TEST_PYTHONS and of sid that the agent is for.
func interpreters(t *testing.T) []string {
	t.Helper()
	found := []string{debian}
	for _, python := range append(others(t), named()...) {
		if output, err := start(t.Context(), t, python, "-c", "import sys; print((3, 10) <= sys.version_info[:2] < (3, 16))").Output(); err == nil && strings.TrimSpace(string(output)) == "True" {
			found = append(found, python)
		}
	}
	if *wide {
		for _, python := range agenttest.NewSid(t).Find(t, "/usr/bin/python3.1[0-9]") {
			found = append(found, inSid+python)
		}
	}
	return found
}

// releases are the interpreters for which servers and their packages are tried: Debian's alone in the short run.
func releases(t *testing.T) []string {
	t.Helper()
	if !*wide {
		return []string{debian}
	}
	return interpreters(t)
}

func named() []string { return strings.Fields(os.Getenv("ODI_TEST_PYTHONS")) }

// others are what pyenv has installed, of any version.
func others(t *testing.T) []string {
	t.Helper()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(home, ".pyenv/versions/*/bin/python"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
