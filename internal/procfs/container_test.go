package procfs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/procfs"
)

const (
	uid   = "8c3e9f0a-7d41-4b6f-9a55-0c6f6f0f2a11"
	uid_  = "8c3e9f0a_7d41_4b6f_9a55_0c6f6f0f2a11"
	id    = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	outer = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)

func TestParseContainer(t *testing.T) {
	pod := procfs.Container{ID: id, PodUID: uid}
	tests := map[string]struct {
		cgroup string
		want   procfs.Container
	}{
		"nothing":        {"", procfs.Container{}},
		"the host":       {"0::/\n", procfs.Container{}},
		"a host service": {"0::/system.slice/containerd.service\n", procfs.Container{}},
		"containerd, v2, systemd driver": {
			"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_ + ".slice/cri-containerd-" + id + ".scope\n", pod},
		"containerd, v2, systemd driver, guaranteed": {
			"0::/kubepods.slice/kubepods-pod" + uid_ + ".slice/cri-containerd-" + id + ".scope\n", pod},
		"containerd, v2, cgroupfs driver": {"0::/kubepods/besteffort/pod" + uid + "/" + id + "\n", pod},
		"containerd, v1": {
			"12:pids:/kubepods/burstable/pod" + uid + "/" + id + "\n11:memory:/kubepods/burstable/pod" + uid + "/" + id + "\n1:name=systemd:/kubepods/burstable/pod" + uid + "/" + id + "\n", pod},
		"a kubelet that was given a group of its own": {"9:name=systemd:/odi-cluster/kubepods/burstable/pod" + uid + "/" + id + "\n", pod},
		"containerd, hybrid, not in every hierarchy": {
			"9:name=systemd:/\n8:pids:/\n4:memory:/kubepods/pod" + uid + "/" + id + "\n0::/kubepods/pod" + uid + "/" + id + "\n", pod},
		"containerd with names in runc's form": {
			"0::/system.slice/containerd.service/kubepods-burstable-pod" + uid_ + ".slice:cri-containerd:" + id + "\n", pod},
		"CRI-O": {"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_ + ".slice/crio-" + id + ".scope\n", pod},
		"CRI-O with crun's inner group": {
			"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_ + ".slice/crio-" + id + ".scope/container\n", pod},
		"CRI-O's monitor is not in the container": {
			"0::/kubepods.slice/kubepods-pod" + uid_ + ".slice/crio-conmon-" + id + ".scope\n", procfs.Container{PodUID: uid}},
		"docker as the kubelet's runtime": {
			"1:cpu:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_ + ".slice/docker-" + id + ".scope\n", pod},
		"docker, v1": {"5:devices:/docker/" + id + "\n", procfs.Container{ID: id}},
		"docker, v2": {"0::/system.slice/docker-" + id + ".scope\n", procfs.Container{ID: id}},
		"podman":     {"0::/machine.slice/libpod-" + id + ".scope/container\n", procfs.Container{ID: id}},
		"a static pod's id has no dashes": {
			"0::/kubepods/burstable/pod" + strings.ReplaceAll(uid, "-", "") + "/" + id + "\n",
			procfs.Container{ID: id, PodUID: strings.ReplaceAll(uid, "-", "")}},
		"a container that made groups of its own": {
			"0::/kubepods/pod" + uid + "/" + id + "/init.scope\n", pod},
		"a docker inside a pod belongs to the pod's container": {
			"0::/kubepods/pod" + uid + "/" + id + "/docker/" + outer + "\n", pod},
		"a node in a container": {
			"0::/docker/" + outer + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" + uid_ + ".slice/cri-containerd-" + id + ".scope\n", pod},
		"seen from another cgroup namespace": {
			"0::/../../kubepods-besteffort-pod" + uid_ + ".slice/cri-containerd-" + id + ".scope\n", pod},
		"a sibling seen from inside the pod": {"0::/../cri-containerd-" + id + ".scope\n", procfs.Container{ID: id}},
		"an id that is too short":            {"0::/docker/abcdef\n", procfs.Container{}},
		"a user's slice with -pod in it":     {"0::/user.slice/my-pod" + uid_ + ".slice\n", procfs.Container{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, procfs.ParseContainer(tc.cgroup)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func FuzzParseContainer(f *testing.F) {
	f.Add("0::/kubepods/burstable/pod" + uid + "/" + id)
	f.Add("1:cpu:/kubepods.slice/kubepods-pod" + uid_ + ".slice/crio-" + id + ".scope/..:x")
	f.Add("::::\n:\n//../-pod.slice:")
	f.Fuzz(func(t *testing.T, cgroup string) {
		c := procfs.ParseContainer(cgroup)
		if c.ID != "" && (len(c.ID) != 64 || !strings.Contains(cgroup, c.ID)) {
			t.Errorf("invented container %q", c.ID)
		}
		if len(c.PodUID) != 0 && len(c.PodUID) != 32 && len(c.PodUID) != 36 {
			t.Errorf("invented pod %q", c.PodUID)
		}
	})
}
