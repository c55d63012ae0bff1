package memoryextension

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// unlimited is the limit of who has none.
const unlimited = int64(math.MaxInt64)

// containerLimit is the lowest limit of the process's cgroup (version 2) and of those above it.
func containerLimit(root string) (int64, error) {
	content, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, err
	}
	_, group, found := strings.Cut(string(content), "0::")
	if !found {
		return 0, errors.New("the process is in no cgroup of version 2")
	}
	group, _, _ = strings.Cut(group, "\n")
	limit := unlimited
	for group = filepath.Clean("/" + group); ; group = filepath.Dir(group) {
		own, err := limitOf(filepath.Join(root, "sys/fs/cgroup", group, "memory.max"))
		if err != nil {
			return 0, err
		}
		limit = min(limit, own)
		if group == "/" {
			return limit, nil
		}
	}
}

func limitOf(file string) (int64, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return unlimited, nil // The root of the tree has none.
	}
	if err != nil {
		return 0, err
	}
	text := strings.TrimSpace(string(content))
	if text == "max" {
		return unlimited, nil
	}
	limit, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", file, err)
	}
	return limit, nil
}
