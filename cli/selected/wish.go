package selected

import (
	"context"
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// namespaceConfig names the config that selects all of a namespace. It has no
// dash, so that it is never a workload's name.
const namespaceConfig = "namespace"

// shown is how many names an error lists; more would not be read.
const shown = 20

// Wish is a whole namespace (no kind; Name is the namespace) or one workload.
type Wish struct {
	Kind      odiv1.WorkloadKind
	Namespace string
	Name      string
}

// Complete finds the namespace of the wish.
func (w Wish) Complete(to *cluster.Cluster) (Wish, error) {
	if w.Kind == "" {
		if flag := to.NamespaceFlag(); flag != "" && flag != w.Name {
			return w, exit.Usagef("the namespace is given twice: %s and --namespace %s", w.Name, flag)
		}
		w.Namespace = w.Name
		return w, nil
	}
	namespace, err := to.Namespace()
	w.Namespace = namespace
	return w, err
}

// String names the wish for people.
func (w Wish) String() string {
	if w.Kind == "" {
		return "namespace " + w.Name
	}
	return strings.ToLower(string(w.Kind)) + " " + w.Namespace + "/" + w.Name
}

// DescribeArgs is what `odi describe` takes for the wish.
func (w Wish) DescribeArgs() string {
	if w.Kind == "" {
		return "namespace/" + w.Name
	}
	return strings.ToLower(string(w.Kind)) + "/" + w.Name + " -n " + w.Namespace
}

// ConfigName is the name of the config that this program writes for the wish.
func (w Wish) ConfigName() string {
	if w.Kind == "" {
		return namespaceConfig
	}
	return w.Reference().ObjectName()
}

// Reference names the workload of the wish.
func (w Wish) Reference() workload.Reference {
	return workload.Reference{Namespace: w.Namespace, Kind: w.Kind, Name: w.Name}
}

// Config is the wish as an object.
func (w Wish) Config(method odiv1.Method) *odiv1.InstrumentationConfig {
	config := &odiv1.InstrumentationConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: w.ConfigName()},
		Spec:       odiv1.InstrumentationConfigSpec{Method: method},
	}
	if w.Kind != "" {
		config.Spec.Target = odiv1.Target{Kind: w.Kind, Name: w.Name}
	}
	return config
}

// Check says whether there may be something to instrument under that name; when not, what there is.
func (w Wish) Check(ctx context.Context, c client.Client) error {
	if why := cluster.WhyExcluded(ctx, c, w.Namespace); why != "" {
		return exit.Usagef("%s", why)
	}
	if err := w.Exists(ctx, c); err != nil {
		return err
	}
	if why := w.Over(ctx, c); why != "" {
		return exit.Usagef("%s", why)
	}
	return nil
}

// Over says that the wish is a Job of which nothing will run any more; empty for all else.
func (w Wish) Over(ctx context.Context, c client.Client) string {
	if w.Kind != odiv1.KindJob {
		return ""
	}
	object := kube.NewWorkloadObject(w.Kind)
	if err := c.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: w.Name}, object); err != nil || !kube.Finished(object) {
		return ""
	}
	return fmt.Sprintf("the %s has finished: nothing of it will run any more", w)
}

// Exists says whether there is something of that name; when not, what there is.
func (w Wish) Exists(ctx context.Context, c client.Client) error {
	err := c.Get(ctx, client.ObjectKey{Name: w.Namespace}, &corev1.Namespace{})
	if apierrors.IsNotFound(err) {
		return unknownNamespace(ctx, c, w.Namespace)
	}
	// Whoever may write in a namespace may be unable to read the namespace itself.
	if err != nil && !apierrors.IsForbidden(err) {
		return fmt.Errorf("reading the namespace %s: %w", w.Namespace, err)
	}
	if w.Kind == "" {
		return nil
	}
	if !workload.IsBuiltin(w.Kind) {
		return w.ownerExists(ctx, c)
	}
	object := kube.NewWorkloadObject(w.Kind)
	err = c.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: w.Name}, object)
	if apierrors.IsNotFound(err) {
		return w.unknownWorkload(ctx, c)
	}
	if err != nil {
		return fmt.Errorf("reading the %s: %w", w, err)
	}
	if above, covered := kube.Covers(object, w.Kind); covered {
		return exit.Usagef("the %s is part of another workload: %s", w, OfReference(above).DescribeArgs())
	}
	if _, isWorkload := kube.ReadWorkload(object); !isWorkload {
		return exit.Usagef("the %s has ended", w)
	}
	return nil
}

// ownerExists looks for a workload of a kind that odi knows by its pods alone.
func (w Wish) ownerExists(ctx context.Context, c client.Client) error {
	found, err := w.Canonical(ctx, c)
	if err != nil {
		return err
	}
	if found.Kind == "" {
		return exit.Usagef("there is no %s that has pods or ReplicaSets", w)
	}
	return nil
}

// Canonical is the wish with the kind as the API writes it: Rollout.argoproj.io where
// rollout.argoproj.io was typed. The kind is empty where there is no such workload.
func (w Wish) Canonical(ctx context.Context, c client.Client) (Wish, error) {
	if w.Kind == "" || workload.IsBuiltin(w.Kind) {
		return w, nil
	}
	all, err := kube.ListWorkloads(ctx, c, w.Namespace, odiv1.KindReplicaSet, odiv1.KindPod)
	if err != nil {
		return w, err
	}
	for _, other := range all {
		if strings.EqualFold(string(other.Kind), string(w.Kind)) && other.Name == w.Name {
			w.Kind = other.Kind
			return w, nil
		}
	}
	w.Kind = ""
	return w, nil
}

// OfReference is the wish for a workload.
func OfReference(ref workload.Reference) Wish {
	return Wish{Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
}

// Labels are the labels of the workload; none for a namespace, or when it is gone.
func (w Wish) Labels(ctx context.Context, c client.Client) (map[string]string, error) {
	if w.Kind == "" {
		return nil, nil
	}
	found, _, err := kube.FindWorkload(ctx, c, w.Reference())
	if err != nil || found.Object == nil {
		return nil, err
	}
	return found.Object.GetLabels(), nil
}

func unknownNamespace(ctx context.Context, c client.Client, name string) error {
	names, err := Namespaces(ctx, c)
	if err != nil {
		return exit.Usagef("there is no namespace %s", name)
	}
	return exit.Usagef("there is no namespace %s; there are: %s", name, some(names))
}

func (w Wish) unknownWorkload(ctx context.Context, c client.Client) error {
	if elsewhere := w.elsewhere(ctx, c); elsewhere != "" {
		return exit.Usagef("there is no %s; there is one with -n %s", w, elsewhere)
	}
	names, err := Names(ctx, c, w.Kind, w.Namespace)
	if err != nil {
		return exit.Usagef("there is no %s", w)
	}
	if len(names) == 0 {
		return exit.Usagef("there is no %s; the namespace %s has no %s at all", w, w.Namespace, w.Kind)
	}
	return exit.Usagef("there is no %s; there are: %s", w, some(names))
}

// elsewhere is a namespace that has a workload of that kind and name; whoever may not look gets no hint.
func (w Wish) elsewhere(ctx context.Context, c client.Client) string {
	all, err := kube.ListWorkloads(ctx, c, "", w.Kind)
	if err != nil {
		return ""
	}
	for _, other := range all {
		if other.Kind == w.Kind && other.Name == w.Name && !workload.IsSystemNamespace(other.Namespace) {
			return other.Namespace
		}
	}
	return ""
}

func some(names []string) string {
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// Namespaces lists the namespaces that can be instrumented.
func Namespaces(ctx context.Context, c client.Client) ([]string, error) {
	var list corev1.NamespaceList
	if err := c.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing namespaces: %w", err)
	}
	var names []string
	for _, namespace := range list.Items {
		if !workload.IsSystemNamespace(namespace.Name) {
			names = append(names, namespace.Name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// Names lists the workloads of one kind.
func Names(ctx context.Context, c client.Client, kind odiv1.WorkloadKind, namespace string) ([]string, error) {
	all, err := kube.ListWorkloads(ctx, c, namespace, kind)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(all))
	for _, w := range all {
		if w.Kind == kind {
			names = append(names, w.Name)
		}
	}
	sort.Strings(names)
	return names, nil
}
