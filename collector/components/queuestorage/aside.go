package queuestorage

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	asidesFolder = "damaged"
	// mostAsides are kept for who looks into what happened.
	mostAsides = 8
)

// setAside moves a file or folder to where the last few of its kind are kept.
func setAside(path, asides string) error {
	if err := os.MkdirAll(asides, folderMode); err != nil {
		return fmt.Errorf("making the folder of damaged files: %w", err)
	}
	name := fmt.Sprintf("%020d-%.100s", time.Now().UnixNano(), filepath.Base(path))
	if err := os.Rename(path, filepath.Join(asides, name)); ignoreMissing(err) != nil {
		return errors.Join(err, os.RemoveAll(path))
	}
	return forgetOldest(asides)
}

// forgetOldest keeps the latest few. Names start with the time.
func forgetOldest(asides string) error {
	entries, err := os.ReadDir(asides)
	if err != nil {
		return fmt.Errorf("listing damaged files: %w", err)
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return cmp.Compare(setAsideAt(b.Name()), setAsideAt(a.Name())) })
	var errs []error
	for _, old := range entries[min(len(entries), mostAsides):] {
		errs = append(errs, os.RemoveAll(filepath.Join(asides, old.Name())))
	}
	return errors.Join(errs...)
}

func setAsideAt(name string) int64 {
	when, _, _ := strings.Cut(name, "-")
	at, _ := strconv.ParseInt(when, 10, 64) // What has no time is the oldest.
	return at
}
