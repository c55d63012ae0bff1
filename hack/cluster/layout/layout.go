// Package layout says where everything of one local cluster is: its folders,
// its network namespace and its addresses. All of it follows from a name and a
// slot, so that two clusters on one machine have nothing in common.
package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// Slots is how many clusters fit side by side. Each has a sixteenth of
// 198.18.0.0/16 and of 198.19.0.0/16; the last sixteenth of the former is for
// the links to the host. Both ranges are for benchmarks (RFC 2544): no
// machine on any network has an address there.
const Slots = 15

// DefaultName is the name of the cluster unless ODI_CLUSTER_NAME says another.
const DefaultName = "odi"

// Cluster is one local cluster.
type Cluster struct {
	Name  string
	Slot  int    // 0 to Slots-1; decides the addresses.
	State string // What survives a reboot: data, keys, configuration, images.
	Run   string // What does not: sockets, mounts.
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)

// FromEnvironment is the cluster that ODI_CLUSTER_NAME and ODI_CLUSTER_SLOT
// ask for, with its state in $XDG_STATE_HOME/odi or ~/.local/state/odi.
func FromEnvironment() (Cluster, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return Cluster{}, fmt.Errorf("finding the state folder: %w", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return New(os.Getenv("ODI_CLUSTER_NAME"), os.Getenv("ODI_CLUSTER_SLOT"), filepath.Join(state, "odi"))
}

// New is the cluster of a name and a slot, with its state below a folder.
// The empty name is the default cluster in slot 0; other names need a slot of their own.
func New(name, slot, state string) (Cluster, error) {
	if name == "" {
		name = DefaultName
	}
	if !validName.MatchString(name) {
		return Cluster{}, fmt.Errorf("cluster name %q: want a letter, then at most 19 letters, digits and dashes, all lower case", name)
	}
	if slot == "" && name == DefaultName {
		slot = "0"
	}
	number, err := strconv.Atoi(slot)
	if err != nil || number < 0 || number >= Slots {
		return Cluster{}, fmt.Errorf("slot %q of cluster %q: want ODI_CLUSTER_SLOT from 0 to %d, another than that of any cluster that runs", slot, name, Slots-1)
	}
	folder := "cluster"
	if name != DefaultName {
		folder += "-" + name
	}
	return Cluster{Name: name, Slot: number, State: filepath.Join(state, folder), Run: "/run/odi/" + name}, nil
}

// Kubeconfig is the administrator's.
func (c Cluster) Kubeconfig() string { return filepath.Join(c.State, "kubeconfig") }

// Path is a path in the state folder.
func (c Cluster) Path(elements ...string) string {
	return filepath.Join(append([]string{c.State}, elements...)...)
}

// Netns is the name of the network namespace that everything runs in.
func (c Cluster) Netns() string { return c.id() }

// NodeName is the name of the one node.
func (c Cluster) NodeName() string { return c.Name + "-node" }

// HostLink is the end, in the host's network namespace, of the link into the cluster.
// Interface names have at most 15 letters, so the slot stands for the name.
func (c Cluster) HostLink() string { return fmt.Sprintf("odi-host%d", c.Slot) }

// HostLinkIP is the host's address on the link.
func (c Cluster) HostLinkIP() string { return fmt.Sprintf("198.18.255.%d", 4*c.Slot+1) }

// ClusterLinkIP is the cluster's address on the link.
func (c Cluster) ClusterLinkIP() string { return fmt.Sprintf("198.18.255.%d", 4*c.Slot+2) }

// NodeIP is the node's address, and the API server's.
func (c Cluster) NodeIP() string { return c.address(18, 0, 1) }

// PodCIDR is the range of the pods.
func (c Cluster) PodCIDR() string { return c.address(18, 1, 0) + "/24" }

// ServiceCIDR is the range of the services.
func (c Cluster) ServiceCIDR() string { return c.address(19, 0, 0) + "/20" }

// APIServiceIP is the address of the Service "kubernetes": the first of the range.
func (c Cluster) APIServiceIP() string { return c.address(19, 0, 1) }

// DNSIP is the address of the Service "kube-dns".
func (c Cluster) DNSIP() string { return c.address(19, 0, 10) }

// Ranges is what the host routes over the link: nodes and pods, services.
func (c Cluster) Ranges() []string {
	return []string{c.address(18, 0, 0) + "/20", c.ServiceCIDR()}
}

func (c Cluster) address(second, third, fourth int) string {
	return fmt.Sprintf("198.%d.%d.%d", second, 16*c.Slot+third, fourth)
}

// Server is the URL of the API server, from the host and from pods alike.
func (c Cluster) Server() string { return "https://" + c.NodeIP() + ":6443" }

// ContainerdSocket is where containerd listens.
func (c Cluster) ContainerdSocket() string { return filepath.Join(c.Run, "containerd.sock") }

// Cgroup is the name of the cgroup that all pods are in, at the root of each hierarchy.
func (c Cluster) Cgroup() string { return c.id() }

func (c Cluster) id() string {
	if c.Name == DefaultName {
		return "odi-cluster"
	}
	return "odi-cluster-" + c.Name
}
