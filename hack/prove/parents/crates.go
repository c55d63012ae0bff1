package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// crateHost is what the index's config.json names as "dl".
const crateHost = "https://static.crates.io/crates"

// lockedCrate is a package of a Cargo.lock that comes from crates.io.
var lockedCrate = regexp.MustCompile(`(?m)^name = "([\w-]+)"\nversion = "([\w.+-]+)"\nsource = "registry\+[^"]+"\nchecksum = "([0-9a-f]{64})"$`)

// vendorCrates gets what a Cargo.lock names into a folder that cargo takes as a source
// (the Cargo book, "Directory Sources"), and returns the arguments that have it do so.
// Cargo itself would get the whole index first, which that of Debian 12 knows only as a
// repository of some hundred megabytes.
func vendorCrates(ctx context.Context, lock, dir string) ([]string, error) {
	text, err := os.ReadFile(lock)
	if err != nil {
		return nil, err
	}
	for _, crate := range lockedCrate.FindAllStringSubmatch(string(text), -1) {
		if err := vendorCrate(ctx, dir, crate[1], crate[2], crate[3]); err != nil {
			return nil, err
		}
	}
	return []string{
		"--offline",
		"--config", `source.crates-io.replace-with="vendored"`,
		"--config", fmt.Sprintf("source.vendored.directory=%q", dir),
	}, nil
}

// vendorCrate unpacks one crate below dir, once.
func vendorCrate(ctx context.Context, dir, name, version, sum string) error {
	into := filepath.Join(dir, name+"-"+version)
	done := filepath.Join(into, ".cargo-checksum.json")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	crate, err := fetchCrate(ctx, fmt.Sprintf("%s/%s/%s-%s.crate", crateHost, name, name, version), sum)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	unpack := exec.CommandContext(ctx, "tar", "-xz", "-C", dir)
	unpack.Stdin = bytes.NewReader(crate)
	if out, err := unpack.CombinedOutput(); err != nil {
		return fmt.Errorf("unpacking %s %s: %w: %s", name, version, err, out)
	}
	return os.WriteFile(done, fmt.Appendf(nil, `{"files":{},"package":%q}`, sum), 0o644)
}

// fetchCrate returns what is at url, whose SHA-256 is sum.
func fetchCrate(ctx context.Context, url, sum string) ([]byte, error) {
	crate, err := exec.CommandContext(ctx, "curl", "-fsSL", "--max-time", "60", url).Output()
	if err != nil {
		return nil, fmt.Errorf("getting %s: %w", url, err)
	}
	if got := sha256.Sum256(crate); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("%s is not what Cargo.lock names (SHA-256 %s)", url, sum)
	}
	return crate, nil
}
