package peer

import (
	"crypto/sha256"
	"embed" // the peer in C
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

//go:embed c
var source embed.FS

// BuildC compiles the peer in C where that has not been done yet, and says where it is.
var BuildC = sync.OnceValues(func() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "odi-prove")
	hash := sha256.New()
	files, err := fs.Glob(source, "c/*")
	for _, name := range files {
		b, errRead := source.ReadFile(name)
		_, _ = hash.Write(b)
		err = errors.Join(err, errRead)
	}
	exe := filepath.Join(dir, fmt.Sprintf("peer-%x", hash.Sum(nil))[:25])
	if _, there := os.Stat(exe); err != nil || there == nil {
		return exe, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	half := fmt.Sprintf("%s.%d", exe, os.Getpid())
	if err := compile(half, files); err != nil {
		return "", fmt.Errorf("compiling the peer: %w", err)
	}
	return exe, os.Rename(half, exe)
})

// compile needs the files in a directory of the file system.
func compile(exe string, files []string) error {
	dir, err := os.MkdirTemp("", "odi-prove")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(dir, source); err != nil {
		return err
	}
	args := []string{"-O2", "-Wall", "-Werror", "-pthread", "-o", exe}
	for _, name := range files {
		if strings.HasSuffix(name, ".c") {
			args = append(args, filepath.Join(dir, name))
		}
	}
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
