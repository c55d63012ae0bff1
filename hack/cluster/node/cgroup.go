package node

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/odi-dev/odi/hack/cluster/layout"
)

// MakeCgroup makes the cgroup that the kubelet puts all pods into, in every
// hierarchy: the kubelet wants it to be there.
func MakeCgroup(c layout.Cluster) error {
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return err
	}
	for _, hierarchy := range hierarchies {
		if err := os.MkdirAll(filepath.Join(hierarchy, c.Cgroup()), 0o755); err != nil {
			return fmt.Errorf("making a cgroup: %w", err)
		}
	}
	return nil
}

// cgroupHierarchies is where cgroup file systems are mounted: one with cgroup
// v2, about ten with v1 or with both.
func cgroupHierarchies() ([]string, error) {
	return mounts(func(_, kind string) bool { return kind == "cgroup" || kind == "cgroup2" })
}

// mounts returns the mount points that match, in the order of mounting.
func mounts(match func(point, kind string) bool) ([]string, error) {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, fmt.Errorf("listing mounts: %w", err)
	}
	defer func() { _ = file.Close() }() // It is only read.
	var points []string
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20) // An overlay mount names all its layers.
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) > 2 && match(fields[1], fields[2]) {
			points = append(points, fields[1])
		}
	}
	return points, scanner.Err()
}

// cgroupDirs returns the cluster's cgroups, those inside others first.
func cgroupDirs(c layout.Cluster) ([]string, error) {
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, hierarchy := range hierarchies {
		root := filepath.Join(hierarchy, c.Cgroup())
		err := filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, at)
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil // It was removed in the meantime, or never there.
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("listing cgroups: %w", err)
		}
	}
	slices.Reverse(dirs)
	return dirs, nil
}

// podProcesses are all processes in the cluster's cgroups.
func podProcesses(c layout.Cluster) ([]int, error) {
	dirs, err := cgroupDirs(c)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, dir := range dirs {
		content, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue // Removed in the meantime.
		}
		for _, field := range strings.Fields(string(content)) {
			if pid, err := strconv.Atoi(field); err == nil && !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids, nil
}

// killPods ends every process of every pod and waits until they are gone.
func killPods(c layout.Cluster) error {
	return endAll("processes of pods", func() ([]int, error) { return podProcesses(c) })
}

// endAll kills what is found until nothing is.
func endAll(what string, find func() ([]int, error)) error {
	for range 100 {
		pids, err := find()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("ending %s: %d: %w", what, pid, err)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("ending %s: some do not end", what)
}

func removeCgroups(c layout.Cluster) error {
	var err error
	// A cgroup is busy for a moment after its last process has ended.
	for range 50 {
		var dirs []string
		if dirs, err = cgroupDirs(c); err != nil || len(dirs) == 0 {
			return err
		}
		var errs []error
		for _, dir := range dirs {
			errs = append(errs, syscall.Rmdir(dir))
		}
		err = errors.Join(errs...)
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("removing cgroups: %w", err)
}
