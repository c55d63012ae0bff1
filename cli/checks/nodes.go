package checks

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/odi-dev/odi/internal/nodefacts"
)

// leastMemory is what an odiglet and a node collector use on a busy node, twice.
const leastMemory = 256 << 20

// nodeChecks are about each node: what Kubernetes says of it, and what a short-lived pod saw.
var nodeChecks = []Check{
	{
		Code: "ODI-601", Title: "There are nodes with Linux", Severity: Warning, Phase: Always,
		Why:  "odiglets run on Linux alone.",
		Mend: "Add a node with Linux. Nodes with Windows are left out, and cost nothing.",
		Judge: func(f Facts) []Finding {
			return judged(f.Nodes, func(nodes []corev1.Node) []Finding {
				linux := 0
				for _, node := range nodes {
					if onLinux(node) {
						linux++
					}
				}
				text := fmt.Sprintf("%d of %s", linux, plural(len(nodes), "node"))
				if linux == 0 {
					return one(Broken, text)
				}
				return one(OK, text)
			})
		},
	},
	{
		Code: "ODI-602", Title: "The kernel is new enough", Severity: Fatal, Phase: Always,
		Why:  "The engine needs Linux 6.1 on amd64 and 6.4 on arm64.",
		Mend: "Give the node a newer kernel or image, or leave it out with odiglet.nodeSelector.",
		Judge: eachNode(func(node corev1.Node) (State, string) {
			info := node.Status.NodeInfo
			least, known := leastKernels[info.Architecture]
			major, minor, ok := kernelOf(info.KernelVersion)
			switch {
			case !known, !ok:
				return Unknown, fmt.Sprintf("kernel %q on %q is none that can be judged", info.KernelVersion, info.Architecture)
			case major < least[0] || major == least[0] && minor < least[1]:
				return Broken, fmt.Sprintf("Linux %s; %d.%d is needed on %s", info.KernelVersion, least[0], least[1], info.Architecture)
			}
			return OK, "Linux " + info.KernelVersion
		}),
	},
	{
		Code: "ODI-603", Title: "There are images for the processor", Severity: Fatal, Phase: Always,
		Why:  "odi's images are for amd64 and arm64.",
		Mend: "Leave such nodes out with odiglet.nodeSelector, for example kubernetes.io/arch: amd64.",
		Judge: eachNode(func(node corev1.Node) (State, string) {
			if _, known := leastKernels[node.Status.NodeInfo.Architecture]; !known {
				return Broken, "the processor is " + node.Status.NodeInfo.Architecture
			}
			return OK, node.Status.NodeInfo.Architecture
		}),
	},
	{
		Code: "ODI-604", Title: "The node runs pods of DaemonSets", Severity: Warning, Phase: Always,
		Why:  "Virtual nodes (Fargate, virtual kubelets) have no host to look at; their workloads are not seen by eBPF.",
		Mend: "Run what is to be traced on other nodes, or give it a language agent.",
		Judge: eachNode(func(node corev1.Node) (State, string) {
			if node.Labels["type"] == "virtual-kubelet" || node.Labels["eks.amazonaws.com/compute-type"] == "fargate" {
				return Broken, "it is a virtual node"
			}
			return OK, "it is a real one"
		}),
	},
	{
		Code: "ODI-605", Title: "The node is ready", Severity: Warning, Phase: Always,
		Why:  "A node that is not ready, or short of disk or memory, starts no odiglet.",
		Mend: "See kubectl describe node <name>.",
		Judge: eachNode(func(node corev1.Node) (State, string) {
			ready := false
			for _, c := range node.Status.Conditions {
				switch {
				case c.Type == corev1.NodeReady:
					ready = c.Status == corev1.ConditionTrue
				case c.Status == corev1.ConditionTrue && strings.HasSuffix(string(c.Type), "Pressure"):
					return Broken, "it has " + string(c.Type)
				}
			}
			if !ready {
				return Broken, "its kubelet does not say that it is ready"
			}
			return OK, "its kubelet says so"
		}),
	},
	{
		Code: "ODI-610", Title: "odi's image comes to the node and runs", Severity: Fatal, Phase: Always,
		Why:  "A pod of odi's image was started on the node, with the odiglet's own rights. Where that fails the odiglet fails.",
		Mend: "The message is the kubelet's. For a registry of your own: image.repository and imagePullSecrets in the chart's values.",
		Judge: func(f Facts) []Finding {
			return judged(f.OnNodes, func(seen map[string]Known[nodefacts.Facts]) []Finding {
				var findings []Finding
				for _, name := range sortedKeys(seen) {
					switch answer := seen[name]; {
					case answer.missing() == "":
						findings = append(findings, Finding{OK, name, "it ran"})
					case strings.HasPrefix(answer.Why, Failed):
						findings = append(findings, Finding{Broken, name, strings.TrimPrefix(answer.Why, Failed)})
					default:
						findings = append(findings, Finding{Unknown, name, answer.missing()})
					}
				}
				return findings
			})
		},
	},
	{
		Code: "ODI-611", Title: "The kernel describes its types (BTF)", Severity: Fatal, Phase: Always,
		Why:  "The engine finds its way in the kernel by /sys/kernel/btf/vmlinux.",
		Mend: "Use a kernel with CONFIG_DEBUG_INFO_BTF=y; those of all current distributions have it.",
		Judge: onEachNode("btf", func(f nodefacts.Facts) (State, string) {
			if !f.BTF {
				return Broken, "there is no /sys/kernel/btf/vmlinux"
			}
			return OK, "it does"
		}),
	},
	{
		Code: "ODI-612", Title: "The odiglet has its capabilities", Severity: Fatal, Phase: Always,
		Why:  "BPF loads the programs, PERFMON attaches them, SYS_PTRACE reads other users' processes. Some container runtimes do not know the first two.",
		Mend: "Upgrade the container runtime, or set odiglet.privileged=true.",
		Judge: onEachNode("capabilities", func(f nodefacts.Facts) (State, string) {
			var given []any
			for _, name := range f.Capabilities {
				given = append(given, name)
			}
			if missing := lacking(given); len(missing) > 0 {
				return Broken, "the pod asked for them and did not get " + strings.Join(missing, ", ")
			}
			return OK, strings.Join(f.Capabilities, ", ")
		}),
	},
	{
		Code: "ODI-613", Title: "The engine sees requests", Severity: Fatal, Phase: Always,
		Why:  "SocketSpans is the first step of the feature ladder: without it there are no spans at all.",
		Mend: "The message says what the kernel refused. Most often a security module or seccomp profile denies bpf(): let odi's pods use it.",
		Judge: func(f Facts) []Finding {
			return ladder(f, func(features []nodefacts.Feature) (State, string) {
				for _, feature := range features {
					if feature.Name == "SocketSpans" {
						return state(feature.State != "Unavailable"), feature.State + reason(feature.Reason)
					}
				}
				return Unknown, "the node did not say"
			})
		},
	},
	{
		Code: "ODI-614", Title: "Every feature of the engine works", Severity: Warning, Phase: Always,
		Why:  "Features fail one by one: a kernel or container runtime that lacks what one needs has all others.",
		Mend: "The message says what is missing. What each feature is for: odi describe node/<name>, docs/linked.md.",
		Judge: func(f Facts) []Finding {
			return ladder(f, func(features []nodefacts.Feature) (State, string) {
				var problems []string
				for _, feature := range features {
					if feature.State != "Active" {
						problems = append(problems, feature.Name+" is "+feature.State+reason(feature.Reason))
					}
				}
				if len(problems) > 0 {
					return Broken, strings.Join(problems, "; ")
				}
				return OK, plural(len(features), "feature")
			})
		},
	},
	{
		Code: "ODI-615", Title: "The kernel is not locked down to confidentiality", Severity: Fatal, Phase: Always,
		Why:  "Under lockdown=confidentiality no BPF program may read memory.",
		Mend: "Boot the node with lockdown=integrity, or without.",
		Judge: onEachNode("", func(f nodefacts.Facts) (State, string) {
			switch f.Lockdown {
			case "confidentiality":
				return Broken, "lockdown is confidentiality"
			case "":
				return Unknown, "the kernel does not say" + reason(f.Unseen["lockdown"])
			}
			return OK, "lockdown is " + f.Lockdown
		}),
	},
	{
		Code: "ODI-616", Title: "The odiglet sees the node's processes", Severity: Fatal, Phase: Always,
		Why:  "hostPID shows it the processes of all pods. Sandboxes (gVisor, Kata, user namespaces) give it those of its own pod alone.",
		Mend: "Let odi's pods run under the node's usual container runtime, without a RuntimeClass that sandboxes.",
		Judge: onEachNode("hostProcesses", func(f nodefacts.Facts) (State, string) {
			return state(f.HostProcesses), map[bool]string{true: "it does", false: "it sees its own container alone"}[f.HostProcesses]
		}),
	},
	{
		Code: "ODI-617", Title: "The node is a machine of its own", Severity: Note, Phase: Always,
		Why:  "In kind, k3d and minikube a node is a container: odi translates process numbers there, and nodes share one kernel, so that each engine sees the others' sockets go by.",
		Mend: "Nothing: it works. Figures of cost are not those of a real node.",
		Judge: onEachNode("nestedProcesses", func(f nodefacts.Facts) (State, string) {
			return state(!f.NestedProcesses), map[bool]string{true: "it is a container of a machine", false: "it is"}[f.NestedProcesses]
		}),
	},
	{
		Code: "ODI-618", Title: "Cgroups are of version 2", Severity: Warning, Phase: Always,
		Why:  "Trace context is passed on by programs at the root of the cgroup tree, which only version 2 has.",
		Mend: "Boot the node with systemd.unified_cgroup_hierarchy=1.",
		Judge: onEachNode("cgroup2", func(f nodefacts.Facts) (State, string) {
			return state(f.Cgroup2), map[bool]string{true: "they are", false: "/sys/fs/cgroup is not of version 2"}[f.Cgroup2]
		}),
	},
	{
		Code: "ODI-619", Title: "The kernel compiles BPF programs", Severity: Warning, Phase: Always,
		Why:  "With net.core.bpf_jit_enable=0 each program is interpreted, several times slower.",
		Mend: "sysctl -w net.core.bpf_jit_enable=1",
		Judge: onEachNode("jit", func(f nodefacts.Facts) (State, string) {
			return state(f.JIT != "0"), "net.core.bpf_jit_enable is " + f.JIT
		}),
	},
	{
		Code: "ODI-620", Title: "Nobody else instruments the node", Severity: Warning, Phase: Always,
		Why:  "Another tracer sees the same requests, and one that puts a library into every program (/etc/ld.so.preload) is in those that odi traces, too.",
		Mend: "Decide who instruments this node; a language agent and another's in one process do not go together.",
		Judge: onEachNode("instrumenters", func(f nodefacts.Facts) (State, string) {
			found := append([]string(nil), f.Instrumenters...)
			if f.Preloaded != "" {
				found = append(found, "/etc/ld.so.preload has "+f.Preloaded)
			}
			if len(found) > 0 {
				return Broken, strings.Join(found, "; ")
			}
			return OK, "none that odi knows"
		}),
	},
	{
		Code: "ODI-621", Title: "There is memory left", Severity: Warning, Phase: Always,
		Why:  "An odiglet and a node collector ask for 128 MiB and may use 512 MiB.",
		Mend: "Take load off the node, or lower the components' requests and limits by the chart's values.",
		Judge: onEachNode("memoryAvailable", func(f nodefacts.Facts) (State, string) {
			return state(f.MemoryAvailable >= leastMemory), fmt.Sprintf("%d MiB are available", f.MemoryAvailable>>20)
		}),
	},
	{
		Code: "ODI-622", Title: "The node's clock and the cluster's agree", Severity: Warning, Phase: Always,
		Why:  "Spans carry the node's time: where clocks differ, traces look impossible. Certificates and Leases are judged by it.",
		Mend: "Let the nodes follow NTP.",
		Judge: func(f Facts) []Finding {
			return judged(f.Server, func(s Server) []Finding {
				return onEachNode("", func(seen nodefacts.Facts) (State, string) { return clock(f, s, seen) })(f)
			})
		},
	},
	{
		Code: "ODI-623", Title: "Names resolve in pods of the node", Severity: Fatal, Phase: Always,
		Why:   "Odiglets find the node collector, it finds the gateway, and that finds backends by name.",
		Mend:  "See the cluster's DNS: kubectl -n kube-system get pods -l k8s-app=kube-dns.",
		Judge: looked(APIServer, func(l nodefacts.Look) bool { return l.Resolved }),
	},
	{
		Code: "ODI-624", Title: "Pods of the node reach the API server", Severity: Fatal, Phase: Always,
		Why:   "The odiglet asks the API server what to instrument, and reports there.",
		Mend:  "See the network between that node and the API server, and network policies of odi's namespace.",
		Judge: looked(APIServer, func(l nodefacts.Look) bool { return l.Connected }),
	},
}

// APIServer is how pods call the API server.
const APIServer = "kubernetes.default.svc:443"

// Failed begins the reason of a pod that did not only come too late but cannot run.
const Failed = "it failed: "

// leastKernels by architecture: those for which there are images.
var leastKernels = map[string][2]int{"amd64": {6, 1}, "arm64": {6, 4}}

// kernelOf reads major and minor of "6.1.0-9-amd64".
func kernelOf(version string) (major, minor int, ok bool) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return 0, 0, false
	}
	digits := strings.IndexFunc(parts[1], func(r rune) bool { return r < '0' || r > '9' })
	if digits >= 0 {
		parts[1] = parts[1][:digits]
	}
	major, errMajor := strconv.Atoi(parts[0])
	minor, errMinor := strconv.Atoi(parts[1])
	return major, minor, errMajor == nil && errMinor == nil
}

func state(ok bool) State {
	if ok {
		return OK
	}
	return Broken
}

// reason is the end of a sentence; empty for none.
func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + strings.TrimSuffix(why, ".")
}

func clock(f Facts, s Server, seen nodefacts.Facts) (State, string) {
	if why := s.Skew.missing(); why != "" {
		return Unknown, why
	}
	// A pod is done before it is read, by ten seconds at most: behind by less is no difference.
	apart := seen.Time.Sub(f.Now.Add(s.Skew.Value))
	return state(apart.Abs() <= maxSkew), fmt.Sprintf("about %s apart", apart.Abs().Round(10*time.Second))
}
