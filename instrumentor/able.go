package instrumentor

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/version"
)

// deliveryFor is by image volume where that surely works. Since 1.36 neither the API server nor a kubelet can
// switch it off; an API server that had would drop the volume's source, and refuse the pod for that.
func deliveryFor(server string, nodes []corev1.Node) Delivery {
	if !atLeast(server, "1.36.0") || len(nodes) == 0 {
		return InitContainer
	}
	for _, n := range nodes {
		info := n.Status.NodeInfo
		if n.Labels[corev1.LabelOSStable] == "windows" || info.OperatingSystem == "windows" {
			continue // No pod with an agent runs there.
		}
		if !atLeast(info.KubeletVersion, "1.36.0") || !mountsImages(info.ContainerRuntimeVersion) {
			return InitContainer
		}
	}
	return ImageVolume
}

// mountsImages says whether a container runtime is known to mount an image: "containerd://2.1.4".
func mountsImages(runtime string) bool {
	name, release, _ := strings.Cut(runtime, "://")
	switch name {
	case "containerd":
		return atLeast(release, "2.1.0")
	case "cri-o":
		return atLeast(release, "1.33.0")
	}
	return false
}

func atLeast(have, want string) bool {
	v, err := version.ParseGeneric(have)
	return err == nil && v.AtLeast(version.MustParseGeneric(want))
}
