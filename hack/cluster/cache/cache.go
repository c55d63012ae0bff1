// Package cache keeps what takes long to make outside of the clone, so that a
// second clone, CI and the demo make nothing twice.
//
// An entry is a directory named by what it is and by a hash of what it was made
// from. It is made beside its final place and moved there whole, so an entry
// that exists is complete, however its maker ended.
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Dir is the root of a cache.
type Dir string

// Default is the cache of this user: $XDG_CACHE_HOME/odi, or ~/.cache/odi.
func Default() (Dir, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w", err)
	}
	return Dir(filepath.Join(base, "odi")), nil
}

// Path is where the entry of a name ("programs/kubernetes-v1.36.3") and a key is, made or not.
func (d Dir) Path(name, key string) string {
	return filepath.Join(string(d), filepath.FromSlash(name)+"-"+key)
}

// Has says whether an entry is made.
func (d Dir) Has(name, key string) bool {
	_, err := os.Stat(d.Path(name, key))
	return err == nil
}

// Make returns the path of an entry and calls build to fill an empty directory
// if there is none yet. Two processes that need the same entry build it once:
// the second waits.
func (d Dir) Make(name, key string, build func(dir string) error) (string, error) {
	final := d.Path(name, key)
	if d.Has(name, key) {
		return final, used(final)
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return "", fmt.Errorf("making the cache folder: %w", err)
	}
	unlock, err := d.lock(name, key)
	if err != nil {
		return "", err
	}
	defer unlock()
	if d.Has(name, key) {
		return final, used(final)
	}
	if err := d.fill(final, build); err != nil {
		return final, err
	}
	if filepath.Dir(final) == string(d) {
		return final, nil // Its neighbours are no entries.
	}
	return final, prune(filepath.Dir(final))
}

// kept is how long an entry stays that nobody asks for: another clone may be at
// another version, and a cluster runs programs from here.
const kept = 30 * 24 * time.Hour

// used marks an entry as needed.
func used(entry string) error {
	now := time.Now()
	if err := os.Chtimes(entry, now, now); err != nil {
		return fmt.Errorf("marking a cache entry as used: %w", err)
	}
	return nil
}

// prune removes what was not used for long, of the entries in a folder.
func prune(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("looking for old cache entries: %w", err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || time.Since(info.ModTime()) < kept {
			continue // Gone meanwhile, no entry, or in use.
		}
		if err := os.RemoveAll(filepath.Join(folder, entry.Name())); err != nil {
			return fmt.Errorf("removing an old cache entry: %w", err)
		}
	}
	return nil
}

func (d Dir) fill(final string, build func(dir string) error) error {
	temporary, err := os.MkdirTemp(filepath.Dir(final), ".making-")
	if err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	defer func() { _ = os.RemoveAll(temporary) }() // Nothing is left to remove after the rename.
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("opening the build folder to others: %w", err)
	}
	if err := build(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, final); err != nil {
		return fmt.Errorf("moving the result into the cache: %w", err)
	}
	return nil
}

// lock takes the lock of an entry; it is released also when the process dies.
func (d Dir) lock(name, key string) (unlock func(), err error) {
	locks := filepath.Join(string(d), "locks")
	if err := os.MkdirAll(locks, 0o755); err != nil {
		return nil, fmt.Errorf("making the lock folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(locks, filepath.Base(name)+"-"+key), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of %s: %w", name, err)
	}
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return func() { _ = file.Close() }, nil
}

// Key hashes everything that an entry is made from into a short name.
func Key(inputs ...string) string {
	h := sha256.New()
	for _, input := range inputs {
		fmt.Fprintf(h, "%d:%s;", len(input), input)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Files returns the names, modes and contents of files and of all files below
// folders, in a stable order, as inputs for Key.
func Files(paths ...string) ([]string, error) {
	var inputs []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			input, err := file(path, at)
			inputs = append(inputs, input)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading the inputs: %w", err)
		}
	}
	return inputs, nil
}

func file(root, at string) (string, error) {
	name, err := filepath.Rel(filepath.Dir(root), at)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(at)
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(at)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return fmt.Sprintf("%s %o %x", filepath.ToSlash(name), info.Mode().Perm(), sum), nil
}
