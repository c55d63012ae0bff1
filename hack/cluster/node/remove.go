package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/odi-dev/odi/hack/cluster/layout"
)

// legacyLogs is where the kubelet puts a link to each container's log, wherever
// the logs themselves are.
const legacyLogs = "/var/log/containers"

// devicePlugins is made by the kubelet whatever its root folder is.
const devicePlugins = "/var/lib/kubelet/device-plugins"

// Remove takes away everything that the node's programs left behind, once they
// are stopped: pods, mounts, cgroups, network, links and folders.
func Remove(ctx context.Context, c layout.Cluster) error {
	if err := errors.Join(stopShims(c), killPods(c)); err != nil {
		return err
	}
	if err := unmount(c); err != nil {
		return err // Nothing may be deleted below a mount.
	}
	return errors.Join(
		removeCgroups(c),
		TearDownNetwork(ctx, c),
		removeLogLinks(c),
		os.RemoveAll(c.State), os.RemoveAll(c.Run), removeShared(ctx, c))
}

// Leftovers names what Remove should have taken away and did not.
func Leftovers(c layout.Cluster) ([]string, error) {
	var left []string
	points, mountsErr := ownMounts(c)
	for _, point := range points {
		left = append(left, "mount "+point)
	}
	pids, podsErr := podProcesses(c)
	shims, shimsErr := shims(c)
	for _, pid := range append(pids, shims...) {
		left = append(left, "process "+strconv.Itoa(pid))
	}
	dirs, cgroupsErr := cgroupDirs(c)
	for _, dir := range dirs {
		left = append(left, "cgroup "+dir)
	}
	for _, path := range []string{"/run/netns/" + c.Netns(), "/sys/class/net/" + c.HostLink(), c.State, c.Run} {
		if _, err := os.Lstat(path); err == nil {
			left = append(left, path)
		}
	}
	return left, errors.Join(mountsErr, podsErr, shimsErr, cgroupsErr)
}

// shims are containerd's helper processes, one per pod. containerd leaves them
// running when it ends. They are told by the address of their containerd, which is this cluster's alone.
func shims(c layout.Cluster) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		argv, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err == nil && isShim(argv, c.ContainerdSocket()) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

func isShim(cmdline []byte, socket string) bool {
	argv := strings.Split(string(bytes.TrimRight(cmdline, "\x00")), "\x00")
	at := slices.Index(argv, "-address")
	return filepath.Base(argv[0]) == "containerd-shim-runc-v2" && at > 0 && at+1 < len(argv) && argv[at+1] == socket
}

// stopShims ends the shims first: one that sees its container die would ask containerd what to do.
func stopShims(c layout.Cluster) error {
	return endAll("shims", func() ([]int, error) { return shims(c) })
}

// ownMounts are the mounts below the cluster's folders: volumes, container
// roots, network namespaces of pods.
func ownMounts(c layout.Cluster) ([]string, error) {
	return mounts(func(point, _ string) bool {
		return strings.HasPrefix(point, c.State+"/") || strings.HasPrefix(point, c.Run+"/")
	})
}

func unmount(c layout.Cluster) error {
	points, err := ownMounts(c)
	if err != nil {
		return err
	}
	var errs []error
	for _, point := range slices.Backward(points) {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmounting %s: %w", point, err))
		}
	}
	return errors.Join(errs...)
}

func removeLogLinks(c layout.Cluster) error {
	links, err := filepath.Glob(filepath.Join(legacyLogs, "*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, link := range links {
		target, err := os.Readlink(link)
		if err == nil && strings.HasPrefix(target, c.State+"/") {
			errs = append(errs, os.Remove(link))
		}
	}
	return errors.Join(append(errs, removeIfEmpty(legacyLogs))...)
}

// removeShared removes what all clusters of this machine use, with the last of them.
func removeShared(ctx context.Context, c layout.Cluster) error {
	if others(c) {
		return nil
	}
	return errors.Join(unshareMounts(ctx), removeIfEmpty(
		filepath.Join(devicePlugins, "kubelet_internal_checkpoint"), filepath.Join(devicePlugins, "kubelet.sock"),
		devicePlugins, filepath.Dir(devicePlugins), filepath.Dir(c.Run)))
}

// others says whether there are other clusters on this machine, or a kubelet that is none of ours.
func others(c layout.Cluster) bool {
	clusters, err := filepath.Glob(filepath.Join(filepath.Dir(c.Run), "*"))
	if err != nil || slices.ContainsFunc(clusters, func(run string) bool { return run != c.Run }) {
		return true
	}
	connection, err := net.Dial("unix", filepath.Join(devicePlugins, "kubelet.sock"))
	if err != nil {
		return false
	}
	_ = connection.Close() // Nothing was written.
	return true
}

// removeIfEmpty removes files and folders in order, but no folder that holds anything.
func removeIfEmpty(paths ...string) error {
	for _, path := range paths {
		err := os.Remove(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
			return fmt.Errorf("removing an empty folder: %w", err)
		}
	}
	return nil
}
