package agenttest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// sidPackages are the runtimes of Debian's next releases, and old ones that it still builds. sid keeps the newest
// build of each alone, so that no version can be pinned; the tests print what they ran.
var sidPackages = []string{
	"openjdk-8-jre-headless", "openjdk-11-jre-headless", "openjdk-21-jre-headless", "openjdk-25-jre-headless", "openjdk-26-jre-headless",
	"python3.13", "python3.13-venv", "python3.14", "python3.14-venv", "python3.15", "python3.15-venv",
	"musl", // The loader of programs that are linked with it.
}

// Sid is a folder with programs of Debian sid; they run with its /usr and /etc in place of the machine's.
type Sid string

// NewSid fetches the programs, unless the cache has them.
func NewSid(t testing.TB) Sid {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("mounting the folders of Debian sid needs root")
	}
	return Sid(unpacked(t, "sid/runtimes", "sid", runtime.GOARCH, sidPackages))
}

// Find are the paths that match a pattern, as the programs in there see them.
func (s Sid) Find(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(string(s), pattern))
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = found[i][len(s):]
	}
	return found
}

// enter mounts /usr last: its own mount would need the libraries that lie there.
const enter = `mount --bind "$0/etc" /etc && mount --bind "$0/usr" /usr && exec "$@"`

// Command prepares a program of the folder in a mount namespace of its own; it keeps its process.
func (s Sid) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "/usr/bin/unshare",
		append([]string{"--mount", "--propagation", "private", "sh", "-c", enter, string(s), name}, args...)...)
}
