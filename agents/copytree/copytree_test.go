package copytree_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/agents/copytree"
	"github.com/odi-dev/odi/internal/testkit/program"
)

func TestACopyIsReadableByAnybody(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	src, dst := t.TempDir(), filepath.Join(t.TempDir(), "odi", "java", "agent")
	write(t, filepath.Join(src, "boot.cjs"), "boot", 0o600)
	write(t, filepath.Join(src, "bin", "tool"), "tool", 0o700)
	write(t, filepath.Join(src, "state", "alive"), "alive\n", 0o400)
	copyTree(t, src, dst)
	want := map[string]string{
		".": "drwxr-xr-x", "bin": "drwxr-xr-x", "state": "drwxr-xr-x",
		"boot.cjs": "-rw-r--r-- boot", "bin/tool": "-rwxr-xr-x tool", "state/alive": "-rw-r--r-- alive\n",
	}
	if diff := cmp.Diff(want, tree(t, dst)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASecondCopyTouchesNothingThatIsTheSame(t *testing.T) {
	src, dst := t.TempDir(), t.TempDir()
	for _, name := range []string{"same", "short", "other", "missing"} {
		write(t, filepath.Join(src, name), strings.Repeat("x", 200<<10)+name, 0o644)
	}
	copyTree(t, src, dst)
	before := inode(t, filepath.Join(dst, "same"))
	// What an interrupted run or a hand may have left.
	write(t, filepath.Join(dst, "short"), "x", 0o644)
	write(t, filepath.Join(dst, "other"), strings.Repeat("x", 200<<10)+"OTHER", 0o644)
	write(t, filepath.Join(dst, "mine"), "stays", 0o644)
	write(t, filepath.Join(dst, ".odi-copy-123"), "half", 0o600)
	if err := os.Remove(filepath.Join(dst, "missing")); err != nil {
		t.Fatal(err)
	}
	copyTree(t, src, dst)
	want := tree(t, src)
	want["mine"] = "-rw-r--r-- stays"
	got := tree(t, dst)
	want["."] = got["."]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if after := inode(t, filepath.Join(dst, "same")); after != before {
		t.Errorf("a file that was the same got inode %d instead of %d", after, before)
	}
}

func TestWhatCannotBeCopiedIsSaid(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "", 0o644)
	linked := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(linked, "link")); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ src, dst, want string }{
		"no source":                {filepath.Join(dir, "nothing"), t.TempDir(), "no such file"},
		"a file as source":         {filepath.Join(dir, "file"), t.TempDir(), "not a folder"},
		"a file as destination":    {t.TempDir(), filepath.Join(dir, "file"), "not a directory"},
		"a copy into itself":       {dir, filepath.Join(dir, "below"), "inside"},
		"a link":                   {linked, t.TempDir(), "neither a file nor a folder"},
		"a read-only destination":  {dir, "/proc/odi/agent", "making a folder"},
		"a copy of the whole disk": {"/", filepath.Join(dir, "below"), "inside"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if err := copytree.Copy(tc.src, tc.dst); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one about %q", err, tc.want)
			}
		})
	}
}

func TestTheProgramIsSmallAndStatic(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "odi-copy")
	build := program.Command(t, "go", "build", "-o", bin, "../../cmd/odi-copy")
	build.Env = append(build.Env, "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	src, dst := t.TempDir(), filepath.Join(t.TempDir(), "agent")
	writeBig(t, filepath.Join(src, "big"))
	for range 2 {
		cmd := program.Command(t, bin, src, dst)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
			t.Fatalf("%v, output %q", err, out)
		}
		const most = 20 << 10 // KiB; the init container has 32 MiB, of which the kernel wants some.
		if rss := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; rss > most {
			t.Errorf("copying 64 MiB took %d KiB", rss)
		}
	}
	out, err := program.Command(t, bin, src).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.HasPrefix(string(out), "usage: ") {
		t.Errorf("with one argument: %v, %q; want exit code 2 and the usage", err, out)
	}
	out, err = program.Command(t, bin, "/nothing", dst).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "/nothing: no such file") {
		t.Errorf("without a source: %v, %q", err, out)
	}
}

func copyTree(t *testing.T, src, dst string) {
	t.Helper()
	if err := copytree.Copy(src, dst); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// writeBig writes 64 MiB piece by piece: a child's peak of memory begins with its parent's.
func writeBig(t *testing.T, name string) {
	t.Helper()
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for range 64 {
		if _, err := out.Write(bytes.Repeat([]byte("odi "), 1<<18)); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// tree reads modes and contents of all that is below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		found[rel] = info.Mode().String()
		if entry.IsDir() {
			return nil
		}
		content, err := os.ReadFile(at)
		found[rel] += " " + string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func inode(t *testing.T, name string) uint64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}
