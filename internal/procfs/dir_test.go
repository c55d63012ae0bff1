package procfs

import (
	"errors"
	"os"
	"testing"
)

func TestOwnDirAndUser(t *testing.T) {
	p, err := Host.Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	want, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if dir, err := p.Dir(); dir != want || err != nil {
		t.Errorf("directory %q, %v; want %q", dir, err, want)
	}
	if user, err := p.User(); int(user) != os.Geteuid() || err != nil {
		t.Errorf("user %d, %v; want %d", user, err, os.Geteuid())
	}
	// It would be our own: the link is followed by the one who looks.
	if _, err := p.OpenFile("/proc/self/environ"); !errors.Is(err, ErrNotRegular) {
		t.Errorf("opening a file of /proc/self: %v, want %v", err, ErrNotRegular)
	}
}

func TestParseUser(t *testing.T) {
	for status, want := range map[string]uint32{"Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t9\t9\t9\t9\n": 4, "Uid:\t0\t0\t0\t0\n": 0} {
		if got, err := parseUser([]byte(status)); got != want || err != nil {
			t.Errorf("user %d, %v; want %d", got, err, want)
		}
	}
	for _, status := range []string{"", "Uid:\t1\n", "Uid:\tx\tx\tx\tx\n"} {
		if _, err := parseUser([]byte(status)); err == nil {
			t.Errorf("%q was accepted", status)
		}
	}
}
