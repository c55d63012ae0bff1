package libc

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/testkit/program"
)

func TestMapped(t *testing.T) {
	tests := map[string]string{
		"7f00-7f01 r-xp 0 08:01 12 /usr/lib/x86_64-linux-gnu/libc.so.6":          "/usr/lib/x86_64-linux-gnu/libc.so.6",
		"7f00-7f01 r-xp 0 08:01 12 /lib/x86_64-linux-gnu/libc-2.31.so":           "/lib/x86_64-linux-gnu/libc-2.31.so",
		"7f00-7f01 r-xp 0 08:01 12 /lib/ld-musl-aarch64.so.1":                    "/lib/ld-musl-aarch64.so.1",
		"7f00-7f01 r-xp 0 08:01 12 /opt/my app/libc.so.6":                        "/opt/my app/libc.so.6",
		"7f00-7f01 r-xp 0 08:01 12 /lib/libc.so.6 (deleted)":                     "/lib/libc.so.6",
		"7f00-7f01 r-xp 0 08:01 12 /usr/lib/libcrypto.so.3":                      "",
		"7f00-7f01 rw-p 0 00:00 0 [heap]":                                        "",
		"7f00-7f01 r-xp 0 08:01 12 /usr/lib/libc-2.0/libcom_err.so.2.1":          "",
		"5500-5501 r--p 0 08:01 1 /bin/app\n7f0-7f1 r--p 0 0:1 2 /lib/libc.so.6": "/lib/libc.so.6",
	}
	for maps, want := range tests {
		got, ok := find(strings.NewReader(maps))
		if got.name != want || ok != (want != "") || ok && !strings.HasPrefix(maps, got.span) && !strings.Contains(maps, "\n"+got.span) {
			t.Errorf("find(%q) = %v, want %q", maps, got, want)
		}
	}
}

// TestFind looks at a live process and compares with what nm says of its library.
func TestFind(t *testing.T) {
	sleep := program.Command(t, "sleep", "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sleep.Process.Kill(); _ = sleep.Wait() }()
	finder := NewFinder("ioctl")
	var place Place
	for range 100 { // it may not have loaded its library yet
		var err error
		if place, err = finder.Find(uint32(sleep.Process.Pid)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = place.File.Close() }()
		if place.Mapped {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !place.Mapped {
		t.Fatal("the library is not found mapped")
	}
	nm := program.Command(t, "nm", "-D", "--defined-only", "/proc/self/fd/3")
	nm.ExtraFiles = []*os.File{place.File}
	out, err := nm.Output()
	if err != nil {
		t.Fatal(err)
	}
	// The code of glibc and musl lies in the file where it lies in memory.
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 3 && strings.HasPrefix(f[2], "ioctl@") {
			entry, err := strconv.ParseUint(f[0], 16, 64)
			if err != nil || place.Offset < entry || place.Offset >= entry+prologueMax {
				t.Errorf("ioctl is at %s in the file, found at %x", f[0], place.Offset)
			}
			if runtime.GOARCH == "amd64" && place.Offset == entry {
				t.Error("a probe sits on its entry: each call takes a single step")
			}
			return
		}
	}
	t.Errorf("nm does not show ioctl:\n%s", out)
}

// TestFindBeforeTheLoader stops a program at its first instruction, where only the
// loader is mapped, and finds the library that it goes on to map.
func TestFindBeforeTheLoader(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	sleep := program.Command(t, "sleep", "60")
	sleep.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	pid := sleep.Process.Pid
	defer func() { _ = sleep.Process.Kill(); _ = sleep.Wait() }()
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	finder := NewFinder("ioctl")
	early, err := finder.Find(uint32(pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = early.File.Close() }()
	if early.Mapped {
		t.Fatal("the library is mapped already: this proves nothing")
	}
	if err := syscall.PtraceDetach(pid); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		late, err := finder.Find(uint32(pid))
		if err != nil {
			t.Fatal(err)
		}
		_ = late.File.Close()
		if late.Mapped {
			if late.Library != early.Library || late.Offset != early.Offset {
				t.Errorf("%v was expected, but %v is mapped", early, late)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("no library was mapped")
}

func TestFindSaysStatic(t *testing.T) {
	self := uint32(os.Getpid()) // tests are built without cgo
	if _, err := NewFinder("ioctl").Find(self); !errors.Is(err, ErrStatic) {
		t.Errorf("got %v, want %v", err, ErrStatic)
	}
}

func TestCandidates(t *testing.T) {
	for loader, want := range map[string]string{
		"/lib64/ld-linux-x86-64.so.2":            "/lib/x86_64-linux-gnu/libc.so.6", // Debian
		"/lib/ld-linux-aarch64.so.1":             "/lib/libc.so.6",                  // Arch
		"/lib/ld-musl-x86_64.so.1":               "/lib/ld-musl-x86_64.so.1",        // Alpine
		"/nix/store/x-glibc/lib/ld-linux-a.so.2": "/nix/store/x-glibc/lib/libc.so.6",
		"/usr/lib64/ld-linux-x86-64.so.2":        "/usr/lib64/libc.so.6", // Fedora
	} {
		if got := candidates(loader); !slices.Contains(got, want) {
			t.Errorf("for %s %s is not looked for, only %v", loader, want, got)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	if _, err := NewFinder("ioctl").Find(0xfffffff0); err == nil {
		t.Error("a process that does not exist has a library")
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"empty": nil, "text": []byte("#!/bin/sh"), "cut": []byte("\x7fELF\x02\x01\x01")} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := offsetIn(t, file); err == nil {
			t.Errorf("%s was read as a library", name)
		}
	}
	if _, err := offsetIn(t, dir); err == nil {
		t.Error("a directory was read as a library")
	}
}

func offsetIn(t *testing.T, path string) (uint64, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	_, offset, err := NewFinder("ioctl").offsetIn(f)
	return offset, err
}

func FuzzOffsetOf(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "libc.so.6")
		if err := os.WriteFile(file, bytes.Clone(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, _ = offsetIn(t, file)
	})
}
