package memoryextension

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	// unlimited is the limit of who has none.
	unlimited = int64(math.MaxInt64)
	// practicallyNone is below what version 1 says where there is no limit.
	practicallyNone = int64(1) << 60
)

// containerLimit is the lowest limit of the process's cgroup and of those above
// it. Where the controller of memory is one of version 1, its limit is of use.
func containerLimit(root string) (int64, error) {
	content, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, err
	}
	limit, found := unlimited, false
	for line := range strings.Lines(string(content)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(parts) < 3 {
			continue
		}
		var own int64
		switch {
		case parts[1] == "":
			own, err = lowest(filepath.Join(root, "sys/fs/cgroup"), parts[2], "memory.max")
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			own, err = lowest(filepath.Join(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes")
		default:
			continue
		}
		if err != nil {
			return 0, err
		}
		limit, found = min(limit, own), true
	}
	if !found {
		return 0, errors.New("the process is in no cgroup that limits memory")
	}
	return limit, nil
}

// lowest limit of a group and of those above it.
func lowest(tree, group, file string) (int64, error) {
	limit := unlimited
	for group = filepath.Clean("/" + group); ; group = filepath.Dir(group) {
		own, err := limitOf(filepath.Join(tree, group, file))
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
		return unlimited, nil // The root of the tree has none, and a container does not see what is above its own.
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
	if limit > practicallyNone {
		return unlimited, nil
	}
	return limit, nil
}
