package agenttest

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
)

// arm64Packages are runtimes as Debian 12 has them for arm64, and the emulator that runs them elsewhere. Security
// updates leave the release's own builds where they are.
var (
	arm64Packages    = []string{"nodejs", "openjdk-17-jre-headless", "python3"}
	emulatorPackages = []string{"qemu-user-static"}
)

// ARM64 runs programs for arm64 in an emulator: what they see is the kernel of this machine, and the libraries that came
// with them. A program that they start themselves is not emulated.
type ARM64 struct{ root, emulator string }

// NewARM64 fetches the programs and the emulator, unless the cache has them.
func NewARM64(t testing.TB) ARM64 {
	t.Helper()
	return ARM64{
		root:     unpacked(t, "arm64/runtimes", "bookworm", "arm64", arm64Packages),
		emulator: filepath.Join(unpacked(t, "arm64/emulator", "bookworm", "amd64", emulatorPackages), "usr/bin/qemu-aarch64-static"),
	}
}

// Command prepares a program; its name is a path below the root of the packages.
func (a ARM64) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, a.emulator, append([]string{"-L", a.root, filepath.Join(a.root, name)}, args...)...)
}
