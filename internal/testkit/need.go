package testkit

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// NeedRoot skips a test that another user cannot pass, and all of them with -short. It fails
// where CI=true, since a run that skips it there would prove less than it seems to.
func NeedRoot(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out tests that need root")
	}
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("this test needs root, which CI must have")
	}
	t.Skip("this test needs root")
}

// NeedKernel skips a test on kernels before a version ("5.8") that has what is named.
// At or above that version the test runs, and fails if it is missing all the same.
func NeedKernel(t testing.TB, version, feature string) {
	t.Helper()
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		t.Fatalf("asking for the kernel's version: %v", err)
	}
	release := string(bytes.TrimRight(uts.Release[:], "\x00"))
	if olderKernel(release, version) {
		t.Skipf("this test needs kernel %s (%s); this is %s", version, feature, release)
	}
}

// olderKernel compares major and minor versions: "5.15.0-91-generic" with "5.8".
func olderKernel(release, version string) bool {
	have, want := majorMinor(release), majorMinor(version)
	return have[0] < want[0] || have[0] == want[0] && have[1] < want[1]
}

func majorMinor(release string) [2]int {
	var v [2]int
	for i, part := range strings.SplitN(release, ".", 3)[:2] {
		digits := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if digits >= 0 {
			part = part[:digits]
		}
		v[i], _ = strconv.Atoi(part) // What is no number counts as 0: the oldest.
	}
	return v
}
