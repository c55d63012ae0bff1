package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// maxNameLength is what the API server takes as an object's name.
const maxNameLength = 253

// hashLength keeps a shortened name unique among all the workloads that one namespace can hold.
const hashLength = 10

// Reference names one workload of the cluster.
type Reference struct {
	Namespace string
	Kind      odiv1.WorkloadKind
	Name      string
}

// In completes an API reference by the namespace of the object that holds it.
func In(namespace string, ref odiv1.WorkloadReference) Reference {
	return Reference{Namespace: namespace, Kind: ref.Kind, Name: ref.Name}
}

// Local is the reference as objects of the same namespace write it.
func (r Reference) Local() odiv1.WorkloadReference {
	return odiv1.WorkloadReference{Kind: r.Kind, Name: r.Name}
}

// String is the reference for people and for index keys: "shop/Deployment/cart".
func (r Reference) String() string {
	return r.Namespace + "/" + string(r.Kind) + "/" + r.Name
}

// ObjectName is the name of the workload's InstrumentedWorkload: "deployment-cart".
// A kind has no dash in it, so that two workloads never share a name. A name that
// would be too long ends in a hash of the whole instead, and so does one of a kind
// whose group has a dash.
func (r Reference) ObjectName() string {
	kind := strings.ToLower(string(r.Kind))
	name := kind + "-" + r.Name
	dashed := strings.Contains(kind, "-")
	if len(name) <= maxNameLength && !dashed {
		return name
	}
	whole := name
	if dashed {
		whole = kind + "/" + r.Name
	}
	sum := sha256.Sum256([]byte(whole))
	kept := strings.TrimRight(name[:min(len(name), maxNameLength-hashLength-1)], "-.")
	return kept + "-" + hex.EncodeToString(sum[:])[:hashLength]
}

// Kinds lists the kinds of workload that odi knows by name, in the order in which they are shown.
func Kinds() []odiv1.WorkloadKind {
	return []odiv1.WorkloadKind{
		odiv1.KindDeployment, odiv1.KindStatefulSet, odiv1.KindDaemonSet, odiv1.KindCronJob, odiv1.KindJob,
		odiv1.KindReplicaSet, odiv1.KindReplicationController, odiv1.KindPod,
	}
}

// otherKind is the kind of another controller as people type it: rollout.argoproj.io.
var otherKind = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)

// ownGroup is the group of kinds that odi knows by name.
var ownGroup = regexp.MustCompile(`^(v1\.)?(apps|batch)$`)

// ParseKind finds the kind that a user means by "deployment", "Deployments", "deploy"
// or "deployments.apps". The kind of another controller comes back as typed.
func ParseKind(word string) (odiv1.WorkloadKind, error) {
	short := map[string]odiv1.WorkloadKind{
		"deploy": odiv1.KindDeployment, "sts": odiv1.KindStatefulSet, "ds": odiv1.KindDaemonSet, "cj": odiv1.KindCronJob,
		"rs": odiv1.KindReplicaSet, "rc": odiv1.KindReplicationController, "po": odiv1.KindPod,
	}
	lower := strings.ToLower(word)
	// With its group, and maybe a version, as kubectl writes and takes it.
	if name, group, found := strings.Cut(lower, "."); found && ownGroup.MatchString(group) {
		lower = name
	}
	if kind, ok := short[lower]; ok {
		return kind, nil
	}
	names := make([]string, 0, len(Kinds()))
	for _, kind := range Kinds() {
		name := strings.ToLower(string(kind))
		if lower == name || lower == name+"s" {
			return kind, nil
		}
		names = append(names, name)
	}
	if otherKind.MatchString(word) {
		return odiv1.WorkloadKind(word), nil
	}
	return "", fmt.Errorf("unknown kind of workload %q; one of %s, or kind.group of another", word, strings.Join(names, ", "))
}

// SystemNamespaces are the namespaces that odi never touches, besides its own and
// those that the administrator adds: a broken pod there breaks the cluster.
func SystemNamespaces() []string {
	return []string{"kube-system", "kube-public", "kube-node-lease"}
}

// IsSystemNamespace says whether a namespace belongs to Kubernetes itself.
func IsSystemNamespace(namespace string) bool {
	return slices.Contains(SystemNamespaces(), namespace)
}
