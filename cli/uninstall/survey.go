package uninstall

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/release"
)

// survey is all that is decided on.
type survey struct {
	namespace string
	release   release.State
	// manager says that one is in the namespace, managedBy by which Helm release, if any.
	manager   bool
	managedBy string
	// elsewhere are other namespaces with a manager or a release.
	elsewhere []string
	// kinds are those that the release owns, or one before it in this namespace; others are foreign.
	kinds, foreign []kinds.Definition
	wishes         wishes
	// selected and nodes are how much odi is at work.
	selected, nodes int
	// there says that the namespace exists, made that odi install made it.
	there, made bool
}

// wishes are what users wrote.
type wishes struct {
	configs      []odiv1.InstrumentationConfig
	destinations []odiv1.Destination
	// secrets are the credentials that odi destination add stored.
	secrets []corev1.Secret
}

func (w wishes) all() []client.Object {
	var list []client.Object
	for i := range w.secrets {
		list = append(list, &w.secrets[i])
	}
	for i := range w.configs {
		list = append(list, &w.configs[i])
	}
	for i := range w.destinations {
		list = append(list, &w.destinations[i])
	}
	return list
}

// look reads everything, and changes nothing.
func look(ctx context.Context, c client.Client, to *cluster.Cluster, rel *release.Release, namespace string) (survey, error) {
	s := survey{namespace: namespace}
	var err error
	if s.release, err = rel.State(); err != nil {
		return survey{}, err
	}
	if err := s.lookForOdi(ctx, c, to); err != nil {
		return survey{}, err
	}
	all, err := kinds.List(ctx, c)
	if err != nil {
		return survey{}, err
	}
	s.kinds = kinds.Of(s.owner(), all)
	for _, d := range all {
		if !slices.Contains(s.kinds, d) {
			s.foreign = append(s.foreign, d)
		}
	}
	if err := s.lookForObjects(ctx, c); err != nil {
		return survey{}, err
	}
	var house corev1.Namespace
	err = c.Get(ctx, client.ObjectKey{Name: namespace}, &house)
	if client.IgnoreNotFound(err) != nil {
		return survey{}, fmt.Errorf("reading the namespace %s: %w", namespace, err)
	}
	s.there, s.made = err == nil, house.Labels[odiv1.LabelManagedBy] == odiv1.ManagedByOdi
	return s, nil
}

func (s *survey) owner() kinds.Owner { return kinds.Owner{Namespace: s.namespace, Name: release.Name} }

// here says that this namespace has an odi.
func (s *survey) here() bool { return s.manager || s.release.Exists }

// lookForOdi finds managers and releases. What the user may not see is not there.
func (s *survey) lookForOdi(ctx context.Context, c client.Client, to *cluster.Cluster) error {
	var managers appsv1.DeploymentList
	ours := client.MatchingLabels{cluster.PartOfLabel: "odi", odiv1.LabelComponent: "manager"}
	if err := c.List(ctx, &managers, ours); err != nil && !apierrors.IsForbidden(err) {
		return fmt.Errorf("looking for odi's manager: %w", err)
	}
	namespaces, err := release.Namespaces(ctx, to)
	if err != nil {
		return err
	}
	for _, manager := range managers.Items {
		if manager.Namespace == s.namespace {
			s.manager, s.managedBy = true, manager.Annotations[kinds.ReleaseNameAnnotation]
		}
		namespaces = append(namespaces, manager.Namespace)
	}
	slices.Sort(namespaces)
	s.elsewhere = slices.DeleteFunc(slices.Compact(namespaces), func(n string) bool { return n == s.namespace })
	return nil
}

func (s *survey) lookForObjects(ctx context.Context, c client.Client) error {
	var configs odiv1.InstrumentationConfigList
	var destinations odiv1.DestinationList
	var workloads odiv1.InstrumentedWorkloadList
	var nodes odiv1.NodeInstrumentationList
	for _, list := range []client.ObjectList{&configs, &destinations, &workloads, &nodes} {
		if err := listIfKnown(ctx, c, list); err != nil {
			return fmt.Errorf("counting odi's objects: %w", err)
		}
	}
	var secrets corev1.SecretList
	ours := client.MatchingLabels{odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: "destination"}
	if err := c.List(ctx, &secrets, ours); err != nil {
		return fmt.Errorf("listing the credentials of destinations: %w", err)
	}
	s.wishes = wishes{configs: configs.Items, destinations: destinations.Items, secrets: secrets.Items}
	s.selected, s.nodes = len(workloads.Items), len(nodes.Items)
	return nil
}
