package libc

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
		"7f00-7f01 r-xp 0 08:01 12 /usr/lib/libcrypto.so.3":                      "",
		"7f00-7f01 rw-p 0 00:00 0 [heap]":                                        "",
		"7f00-7f01 r-xp 0 08:01 12 /usr/lib/libc-2.0/libcom_err.so.2.1":          "",
		"5500-5501 r--p 0 08:01 1 /bin/app\n7f0-7f1 r--p 0 0:1 2 /lib/libc.so.6": "/lib/libc.so.6",
	}
	for maps, want := range tests {
		if got, _ := mapped(strings.NewReader(maps)); got != want {
			t.Errorf("mapped(%q) = %q, want %q", maps, got, want)
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
	var place Place
	var err error
	for range 100 { // it may not have loaded its library yet
		if place, err = Find(uint32(sleep.Process.Pid), "ioctl"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := program.Command(t, "nm", "-D", "--defined-only", place.Path).Output()
	if err != nil {
		t.Fatal(err)
	}
	// The code of glibc and musl lies in the file where it lies in memory.
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 3 && strings.HasPrefix(f[2], "ioctl@") {
			if got := strings.TrimLeft(f[0], "0"); got != strconv.FormatUint(place.Offset, 16) {
				t.Errorf("ioctl is at %s in the file, found at %s", got, strconv.FormatUint(place.Offset, 16))
			}
			return
		}
	}
	t.Errorf("nm does not show ioctl:\n%s", out)
}

func TestFindRefuses(t *testing.T) {
	if _, err := Find(0xfffffff0, "ioctl"); err == nil {
		t.Error("a process that does not exist has a library")
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"empty": nil, "text": []byte("#!/bin/sh"), "cut": []byte("\x7fELF\x02\x01\x01")} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := offsetOf(file, "ioctl"); err == nil {
			t.Errorf("%s was read as a library", name)
		}
	}
	if _, err := offsetOf(dir, "ioctl"); err == nil {
		t.Error("a directory was read as a library")
	}
}

func FuzzOffsetOf(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "libc.so.6")
		if err := os.WriteFile(file, bytes.Clone(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, _ = offsetOf(file, "ioctl")
	})
}
