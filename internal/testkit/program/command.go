package program

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Command is exec.Command for tests: it fails the test when a fresh machine would not have the
// program. The PATH of what is started leads to the distribution's programs and to Go, unless the
// test sets the environment itself.
func Command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	needScript(t, name, args)
	return prepared(exec.Command(Need(t, name), args...), name)
}

// CommandContext is exec.CommandContext as Command is exec.Command.
func CommandContext(ctx context.Context, t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	needScript(t, name, args)
	return prepared(exec.CommandContext(ctx, Need(t, name), args...), name)
}

// needScript needs also what `sh -c` is told to start.
func needScript(t testing.TB, name string, args []string) {
	t.Helper()
	script, err := ReadScript(scriptOf(name, args))
	if err != nil {
		t.Fatal(err)
	}
	for _, started := range script.Programs {
		Need(t, started)
	}
}

// prepared gives the program the name that it was called by, and its PATH.
func prepared(cmd *exec.Cmd, name string) *exec.Cmd {
	cmd.Args[0] = name
	cmd.Env = append(os.Environ(), "PATH="+path())
	return cmd
}

func path() string {
	tool, err := exec.LookPath("go")
	if err != nil {
		return Folders
	}
	if real, err := filepath.EvalSymlinks(tool); err == nil {
		tool = real // Beside a link to it there may be more than Go.
	}
	return filepath.Dir(tool) + ":" + Folders
}
