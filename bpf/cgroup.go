package bpf

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// errNoCgroup2 means that no cgroup v2 hierarchy is mounted.
var errNoCgroup2 = errors.New("no cgroup v2 mount found")

// cgroupPath returns the directory to attach to: the wanted one, or the root of
// the cgroup v2 mount. Hybrid machines have it beside the v1 hierarchies. PID 1
// is asked first, because a container's own mount shows only its own part.
func cgroupPath(wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	for _, pid := range []string{"1", "self"} {
		mount, err := cgroup2Mount("/proc/" + pid + "/mountinfo")
		if err != nil {
			continue
		}
		path := filepath.Join("/proc", pid, "root", mount)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errNoCgroup2
}

// cgroup2Mount finds the mount point in a mountinfo file (see proc(5)).
func cgroup2Mount(mountinfo string) (string, error) {
	f, err := os.Open(mountinfo)
	if err != nil {
		return "", fmt.Errorf("reading mounts: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		if ok && strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 {
			return fields[4], nil
		}
	}
	return "", errNoCgroup2
}
