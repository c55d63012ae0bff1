package procfs

import (
	"path"
	"strings"
)

// Container names the container of a process by the cgroup that its runtime made.
type Container struct {
	// ID as the runtime knows it (what a pod's status has behind "containerd://"), or "".
	ID string
	// PodUID of the Kubernetes pod, or "".
	PodUID string
}

// ParseContainer reads /proc/PID/cgroup of any version: v1, v2 and hybrid. All hierarchies of a process say
// the same; the first that knows a container is taken.
func ParseContainer(cgroup string) Container {
	var pod string
	for line := range strings.SplitSeq(cgroup, "\n") {
		// hierarchy:controllers:path, where the path may hold colons (cri-containerd:ID).
		parts := strings.SplitN(line, ":", 3)
		if len(parts) < 3 {
			continue
		}
		c := ContainerOf(parts[2])
		if c.ID != "" {
			return c
		}
		if pod == "" {
			pod = c.PodUID
		}
	}
	return Container{PodUID: pod}
}

// ContainerOf reads the path of one cgroup. It walks from the leaf up, because a container may have made groups of its own below the one
// it was given (systemd in a container, the .../container group of crun).
func ContainerOf(cgroup string) Container {
	var c Container
	dir := path.Clean("/" + cgroup)
	for dir != "/" {
		var name string
		dir, name = path.Dir(dir), path.Base(dir)
		if id := containerID(name); id != "" {
			// With nested runtimes (a node in a container) the group nearest to the pod is the one that the
			// kubelet knows; outside pods this is the outermost one, which the host knows.
			c.ID = id
		}
		if uid := podUID(name); uid != "" {
			c.PodUID = uid
			return c // the groups above a pod are the kubelet's
		}
	}
	return c
}

// containerID reads the name of one group:
//
//	<64 hex>                          cgroupfs driver, docker
//	cri-containerd-<64 hex>.scope     systemd driver; also crio-, docker-, libpod-
//	kubepods-...pod<uid>.slice:cri-containerd:<64 hex>   containerd with the runc default of systemd names
func containerID(name string) string {
	name = strings.TrimSuffix(name, ".scope")
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	prefix, id := "", name
	if i := strings.LastIndexByte(name, '-'); i >= 0 {
		prefix, id = name[:i], name[i+1:]
	}
	if strings.HasSuffix(prefix, "conmon") { // CRI-O's and podman's monitor of a container is not in it
		return ""
	}
	if len(id) != 64 || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id
}

// podUID reads pod<uid> (cgroupfs driver) or kubepods[-burstable|-besteffort]-pod<uid with _>.slice (systemd).
func podUID(name string) string {
	if i := strings.IndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	name, isSlice := strings.CutSuffix(name, ".slice")
	if isSlice {
		_, pod, ok := strings.Cut(name, "-pod")
		if !ok || !strings.HasPrefix(name, "kubepods") && !strings.Contains(name, "-kubepods") {
			return ""
		}
		return validUID(strings.ReplaceAll(pod, "_", "-"))
	}
	uid, ok := strings.CutPrefix(name, "pod")
	if !ok {
		return ""
	}
	return validUID(uid)
}

// validUID accepts a UUID, and the 32 hex digits that a static pod has instead.
func validUID(uid string) string {
	if len(uid) != 36 && len(uid) != 32 || strings.Trim(uid, "0123456789abcdef-") != "" {
		return ""
	}
	return uid
}
