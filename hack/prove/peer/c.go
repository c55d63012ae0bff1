package peer

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the peer in C
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

//go:embed c/peer.c
var source []byte

// BuildC compiles the peer in C where that has not been done yet, and says where it is.
var BuildC = sync.OnceValues(func() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "odi-prove")
	exe := filepath.Join(dir, fmt.Sprintf("peer-%x", sha256.Sum256(source))[:25])
	if _, err := os.Stat(exe); err == nil {
		return exe, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	half := fmt.Sprintf("%s.%d", exe, os.Getpid())
	cmd := exec.Command("gcc", "-O2", "-Wall", "-Werror", "-pthread", "-x", "c", "-", "-o", half)
	cmd.Stdin = bytes.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling the peer: %w: %s", err, out)
	}
	return exe, os.Rename(half, exe)
})
