package procfs_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/testkit/program"
)

func TestReadsThisProcess(t *testing.T) {
	t.Setenv("ODI_SET_LATER", "is not in the environment at the start")
	p := open(t, os.Getpid())
	exe, err := p.Exe()
	if want, _ := os.Executable(); err != nil || exe != want {
		t.Errorf("executable: got %q, %v, want %q", exe, err, want)
	}
	args, err := p.Args()
	if err != nil || !slices.Equal(args, os.Args) {
		t.Errorf("arguments: got %q, %v", args, err)
	}
	env, err := p.Environ(func(name string) bool { return name == "PATH" })
	if err != nil || env["PATH"] != os.Getenv("PATH") || env["HOME"] != "" {
		t.Errorf("environment: got PATH %q and HOME %q, %v", env["PATH"], env["HOME"], err)
	}
	maps, err := p.MappedFiles()
	if err != nil || !slices.Contains(maps, exe) {
		t.Errorf("mapped files: got %q, %v", maps, err)
	}
	if secure, err := p.Secure(); err != nil || secure {
		t.Errorf("AT_SECURE: got %v, %v", secure, err)
	}
	if _, err := p.Container(); err != nil {
		t.Error(err)
	}
	again := open(t, os.Getpid())
	first, err1 := p.StartTime()
	second, err2 := again.StartTime()
	if errors.Join(err1, err2) != nil || first == 0 || first != second {
		t.Errorf("start: got %d and %d, %v, %v", first, second, err1, err2)
	}
}

func TestProcessEndsWhileItIsPinned(t *testing.T) {
	cmd := program.Command(t, "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := open(t, cmd.Process.Pid)
	cmd.Process.Kill()
	cmd.Wait()
	for name, read := range map[string]func() error{
		"start":        func() error { _, err := p.StartTime(); return err },
		"executable":   func() error { _, err := p.Exe(); return err },
		"environment":  func() error { _, err := p.Environ(func(string) bool { return true }); return err },
		"mapped files": func() error { _, err := p.MappedFiles(); return err },
		"a file":       func() error { _, err := p.ReadFile("/etc/passwd", 10); return err },
	} {
		if err := read(); !errors.Is(err, procfs.ErrGone) {
			t.Errorf("reading %s: got %v, want ErrGone", name, err)
		}
	}
	if _, err := procfs.Host.Open(cmd.Process.Pid); !errors.Is(err, procfs.ErrGone) {
		t.Errorf("opening again: got %v, want ErrGone", err)
	}
}

func TestPIDsListsThisProcess(t *testing.T) {
	pids, err := procfs.Host.PIDs()
	if err != nil || !slices.Contains(pids, os.Getpid()) {
		t.Errorf("got %d pids, %v", len(pids), err)
	}
}

// TestFilesOfAnotherRoot reads files of a process in a root that was made to lead readers astray.
func TestFilesOfAnotherRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, for chroot and device nodes")
	}
	root := t.TempDir()
	for _, err := range []error{
		os.Mkdir(root+"/etc", 0o755),
		os.Mkdir(root+"/proc", 0o755),
		os.WriteFile(root+"/etc/inside", []byte("inside"), 0o600),
		os.Symlink("/etc/inside", root+"/absolute"),
		os.Symlink("../../../../../../../../etc/inside", root+"/etc/climbing"),
		os.Symlink("/etc/passwd", root+"/outside"),
		os.Symlink("/proc/self/root/etc/passwd", root+"/magic"),
		os.Symlink("loop", root+"/loop"),
		unix.Mkfifo(root+"/fifo", 0o600),
		unix.Mknod(root+"/device", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5))), // /dev/zero
		os.Truncate(touch(t, root+"/sparse"), 1<<40),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p := open(t, startIn(t, root))
	tests := map[string]struct {
		want    string
		wantErr error
	}{
		"/etc/inside":       {want: "inside"},
		"etc/inside":        {want: "inside"},
		"/absolute":         {want: "inside"},
		"/etc/climbing":     {want: "inside"},
		"/../../etc/inside": {want: "inside"},
		"/outside":          {wantErr: unix.ENOENT},
		"/magic":            {wantErr: unix.ELOOP},
		"/loop":             {wantErr: unix.ELOOP},
		"/fifo":             {wantErr: procfs.ErrNotRegular},
		"/device":           {wantErr: procfs.ErrNotRegular},
		"/etc":              {wantErr: procfs.ErrNotRegular},
		"":                  {wantErr: unix.ENOENT},
		"/sparse":           {want: strings.Repeat("\x00", 100)},
	}
	if err := unix.Mount("proc", root+"/proc", "proc", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Detached, because whoever walks over /tmp at this moment would make a plain unmount fail, and the
		// directory is removed next.
		if err := unix.Unmount(root+"/proc", unix.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
	})
	for path, tc := range tests {
		t.Run(path, func(t *testing.T) {
			got, err := p.ReadFile(path, 100)
			if string(got) != tc.want || !errors.Is(err, tc.wantErr) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tc.want, tc.wantErr)
			}
		})
	}
}

// startIn starts a static program in another root.
func startIn(t *testing.T, root string) int {
	t.Helper()
	src := t.TempDir()
	for name, text := range map[string]string{
		"main.go": "package main\nimport \"syscall\"\nfunc main() { syscall.Read(0, make([]byte, 1)) }\n",
		"go.mod":  "module wait\n\ngo 1.21\n",
	} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := program.Command(t, "go", "build", "-o", root+"/wait", ".")
	build.Dir, build.Env = src, append(build.Env, "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	cmd := program.Command(t, root+"/wait")
	cmd.Path = "/wait"
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process.Pid
}

func touch(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, pid int) *procfs.Process {
	t.Helper()
	p, err := procfs.Host.Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}
