package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
// A kind has no dash in it, so that two workloads never share a name. A name
// that would be too long ends in a hash of the whole instead.
func (r Reference) ObjectName() string {
	name := strings.ToLower(string(r.Kind)) + "-" + r.Name
	if len(name) <= maxNameLength {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	kept := strings.TrimRight(name[:maxNameLength-hashLength-1], "-.")
	return kept + "-" + hex.EncodeToString(sum[:])[:hashLength]
}

// Kinds lists the kinds of workload in the order in which they are shown.
func Kinds() []odiv1.WorkloadKind {
	return []odiv1.WorkloadKind{
		odiv1.KindDeployment, odiv1.KindStatefulSet, odiv1.KindDaemonSet, odiv1.KindCronJob, odiv1.KindJob,
	}
}

// ParseKind finds the kind that a user means by "deployment", "Deployments" or "deploy".
func ParseKind(word string) (odiv1.WorkloadKind, error) {
	short := map[string]odiv1.WorkloadKind{
		"deploy": odiv1.KindDeployment, "sts": odiv1.KindStatefulSet, "ds": odiv1.KindDaemonSet, "cj": odiv1.KindCronJob,
	}
	word = strings.ToLower(word)
	if kind, ok := short[word]; ok {
		return kind, nil
	}
	names := make([]string, 0, len(Kinds()))
	for _, kind := range Kinds() {
		name := strings.ToLower(string(kind))
		if word == name || word == name+"s" {
			return kind, nil
		}
		names = append(names, name)
	}
	return "", fmt.Errorf("unknown kind of workload %q; one of %s", word, strings.Join(names, ", "))
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
