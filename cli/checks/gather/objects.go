package gather

import (
	"context"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/release"
)

// webhookName is that of the chart's MutatingWebhookConfiguration.
const webhookName = "odi-pods"

func house(ctx context.Context, g *gatherer) {
	found := &corev1.Namespace{}
	err := g.c.Get(ctx, client.ObjectKey{Name: g.Namespace}, found)
	if apierrors.IsNotFound(err) {
		found, err = nil, nil
	}
	g.facts.House = read(g, found, err)
}

func quotas(ctx context.Context, g *gatherer) {
	var list corev1.ResourceQuotaList
	err := g.c.List(ctx, &list, client.InNamespace(g.Namespace))
	g.facts.Quotas = read(g, list.Items, err)
}

func limits(ctx context.Context, g *gatherer) {
	var list corev1.LimitRangeList
	err := g.c.List(ctx, &list, client.InNamespace(g.Namespace))
	g.facts.Limits = read(g, list.Items, err)
}

func nodes(ctx context.Context, g *gatherer) {
	var list corev1.NodeList
	err := g.c.List(ctx, &list)
	g.facts.Nodes = read(g, list.Items, err)
}

func releases(ctx context.Context, g *gatherer) {
	rel, err := release.Open(g.to, g.Namespace)
	if err != nil {
		g.facts.Release = read(g, checks.Release{}, err)
		return
	}
	state, err := rel.State()
	if err != nil {
		g.facts.Release = read(g, checks.Release{}, err)
		return
	}
	others, err := release.Elsewhere(ctx, g.to, g.Namespace)
	g.facts.Release = read(g, checks.Release{State: state, Elsewhere: others}, err)
}

// definitions are all kinds that were added to the cluster, by metadata alone.
func definitions(ctx context.Context, g *gatherer) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	err := g.c.List(ctx, list)
	var names []string
	deleting := map[string]bool{}
	for _, crd := range list.Items {
		names = append(names, crd.Name)
		deleting[crd.Name] = crd.DeletionTimestamp != nil
	}
	g.facts.Definitions = read(g, names, err)
	own, err := kinds.List(ctx, g.c)
	var all []checks.Kind
	for _, d := range own {
		all = append(all, checks.Kind{Definition: d, Deleting: deleting[d.Name]})
	}
	g.facts.Kinds = read(g, all, err)
}

func marked(ctx context.Context, g *gatherer) {
	var list corev1.NamespaceList
	err := g.c.List(ctx, &list, client.HasLabels{odiv1.LabelInject})
	var names []string
	for _, namespace := range list.Items {
		names = append(names, namespace.Name)
	}
	g.facts.Marked = read(g, names, err)
}

func ownHook(ctx context.Context, g *gatherer) {
	found := &admissionv1.MutatingWebhookConfiguration{}
	err := g.c.Get(ctx, client.ObjectKey{Name: webhookName}, found)
	if apierrors.IsNotFound(err) {
		found, err = nil, nil
	}
	g.facts.Hook = read(g, found, err)
}

// webhook is what the two kinds of configurations have alike.
type webhook struct {
	name     string
	rules    []admissionv1.RuleWithOperations
	policy   *admissionv1.FailurePolicyType
	service  *admissionv1.ServiceReference
	selector *metav1.LabelSelector
}

// hooks finds webhooks of others that are asked when a pod is made.
func hooks(ctx context.Context, g *gatherer) {
	var mutating admissionv1.MutatingWebhookConfigurationList
	var validating admissionv1.ValidatingWebhookConfigurationList
	for _, list := range []client.ObjectList{&mutating, &validating} {
		if err := g.c.List(ctx, list); err != nil {
			g.facts.Hooks = read[[]checks.Hook](g, nil, err)
			return
		}
	}
	var all []webhook
	for _, config := range mutating.Items {
		for _, w := range config.Webhooks {
			if config.Name != webhookName {
				all = append(all, webhook{config.Name + "/" + w.Name, w.Rules, w.FailurePolicy, w.ClientConfig.Service, w.NamespaceSelector})
			}
		}
	}
	for _, config := range validating.Items {
		for _, w := range config.Webhooks {
			all = append(all, webhook{config.Name + "/" + w.Name, w.Rules, w.FailurePolicy, w.ClientConfig.Service, w.NamespaceSelector})
		}
	}
	var found []checks.Hook
	for _, w := range all {
		if !aboutPods(w.rules) {
			continue
		}
		hook, err := g.hook(ctx, w)
		if err != nil {
			g.facts.Hooks = read[[]checks.Hook](g, nil, err)
			return
		}
		found = append(found, hook)
	}
	g.facts.Hooks = checks.Of(found)
}

func (g *gatherer) hook(ctx context.Context, w webhook) (checks.Hook, error) {
	h := checks.Hook{Name: w.name, Closed: w.policy == nil || *w.policy == admissionv1.Fail}
	selector, err := metav1.LabelSelectorAsSelector(w.selector)
	if err != nil {
		return h, fmt.Errorf("reading the selector of %s: %w", w.name, err)
	}
	h.Selects = w.selector == nil || selector.Matches(labels.Set(g.houseLabels()))
	if w.service == nil {
		return h, nil
	}
	h.Service = w.service.Namespace + "/" + w.service.Name
	h.Ready, err = g.readyBehind(ctx, w.service.Namespace, w.service.Name)
	return h, err
}

// houseLabels are those of odi's namespace, or those that it will have.
func (g *gatherer) houseLabels() map[string]string {
	if found := g.facts.House.Value; found != nil {
		return found.Labels
	}
	return map[string]string{corev1.LabelMetadataName: g.Namespace, odiv1.LabelManagedBy: odiv1.ManagedByOdi}
}

func aboutPods(rules []admissionv1.RuleWithOperations) bool {
	for _, rule := range rules {
		if has(rule.APIGroups, "") && has(rule.Resources, "pods") {
			return true
		}
	}
	return false
}

func has(list []string, want string) bool {
	for _, entry := range list {
		if entry == want || entry == "*" || entry == "*/*" {
			return true
		}
	}
	return false
}

// readyBehind counts the pods that answer for a Service.
func (g *gatherer) readyBehind(ctx context.Context, namespace, name string) (int, error) {
	var slices discoveryv1.EndpointSliceList
	if err := g.c.List(ctx, &slices, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: name}); err != nil {
		return 0, fmt.Errorf("looking behind the Service %s/%s: %w", namespace, name, err)
	}
	ready := 0
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				ready++
			}
		}
	}
	return ready, nil
}
