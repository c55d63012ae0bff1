package gather

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/release"
)

// documents reads what the chart made of the values.
func documents(text string) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil || len(object.Object) == 0 {
			continue // a document of comments
		}
		all = append(all, object)
	}
}

// podSpecs are those of the workloads of the chart, by the name of the workload.
func (g *gatherer) podSpecs() map[string]corev1.PodSpec {
	specs := map[string]corev1.PodSpec{}
	for _, object := range g.chart {
		var workload struct {
			Spec struct {
				Template corev1.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		}
		if kind := object.GetKind(); kind != "Deployment" && kind != "DaemonSet" {
			continue
		}
		if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &workload) == nil {
			specs[object.GetName()] = workload.Spec.Template.Spec
		}
	}
	return specs
}

// odiglet is the pod of an odiglet: as it runs, else as the chart would have it.
func (g *gatherer) odiglet(ctx context.Context) (corev1.PodSpec, error) {
	if g.Run == checks.After {
		var running appsv1.DaemonSet
		err := g.c.Get(ctx, client.ObjectKey{Namespace: g.Namespace, Name: cluster.OdigletName}, &running)
		return running.Spec.Template.Spec, err
	}
	spec, ok := g.podSpecs()[cluster.OdigletName]
	if !ok {
		return spec, errors.New(g.noChart())
	}
	return spec, nil
}

// podRefusal asks in a dry run whether an odiglet's pod may be made.
func podRefusal(ctx context.Context, g *gatherer) {
	if g.facts.House.Read && g.facts.House.Value == nil {
		g.facts.PodRefusal = checks.Not[string](fmt.Sprintf("the namespace %s does not exist yet, so that nothing can be tried in it", g.Namespace))
		return
	}
	spec, err := g.odiglet(ctx)
	if err != nil {
		g.facts.PodRefusal = read(g, "", err)
		return
	}
	// The account may not exist yet, and who makes the pod matters no more than that of the DaemonSet.
	spec.ServiceAccountName, spec.DeprecatedServiceAccount = "default", ""
	spec.RestartPolicy = corev1.RestartPolicyAlways
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "odi-check-", Namespace: g.Namespace}, Spec: spec}
	err = g.c.Create(ctx, pod, client.DryRunAll)
	switch {
	case err == nil:
		g.facts.PodRefusal = checks.Of("")
	case strings.Contains(err.Error(), `service account`): // a namespace's own account comes a moment after it
		g.facts.PodRefusal = checks.Not[string](err.Error())
	case apierrors.IsForbidden(err) && !mayNot(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		g.facts.PodRefusal = checks.Of(err.Error())
	default: // the user may not, or nobody answered: nothing is known of the pod
		g.facts.PodRefusal = read(g, "", err)
	}
}

// mayNot tells RBAC's refusal from those of admission, which have the same code.
func mayNot(err error) bool { return strings.Contains(err.Error(), " cannot create resource ") }

// refusals applies every object of the chart in a dry run.
func refusals(ctx context.Context, g *gatherer) {
	if g.chart == nil {
		g.facts.Refusals = checks.Not[[]checks.Refusal](g.noChart())
		return
	}
	found := make([]*checks.Refusal, len(g.chart))
	each(len(g.chart), func(i int) { found[i] = g.try(ctx, g.chart[i]) })
	var all []checks.Refusal
	for _, r := range found {
		if r != nil {
			all = append(all, *r)
		}
	}
	g.facts.Refusals = checks.Of(all)
}

// try is nil where the API server takes an object, or where its namespace does not exist yet.
func (g *gatherer) try(ctx context.Context, object *unstructured.Unstructured) *checks.Refusal {
	if object.GetNamespace() != "" && g.facts.House.Value == nil {
		return nil
	}
	apply := client.ApplyConfigurationFromUnstructured(object.DeepCopy())
	err := g.c.Apply(ctx, apply, client.DryRunAll, client.FieldOwner("odi-check"), client.ForceOwnership)
	if err == nil {
		return nil
	}
	name := strings.ToLower(object.GetKind()) + "/" + object.GetName()
	return &checks.Refusal{Object: name, Text: g.to.Explain(err).Error(), Unserved: meta.IsNoMatchError(err)}
}

// classes asks for every PriorityClass that the chart's pods name.
func classes(ctx context.Context, g *gatherer) {
	var names []string
	for _, spec := range g.podSpecs() {
		names = append(names, spec.PriorityClassName)
	}
	g.facts.Classes = g.exist(names, func(name string) error {
		return g.c.Get(ctx, client.ObjectKey{Name: name}, &schedulingv1.PriorityClass{})
	})
}

// pullSecrets asks for every Secret that the chart's pods pull images with.
func pullSecrets(ctx context.Context, g *gatherer) {
	var names []string
	for _, spec := range g.podSpecs() {
		for _, ref := range spec.ImagePullSecrets {
			names = append(names, ref.Name)
		}
	}
	g.facts.PullSecrets = g.exist(names, func(name string) error {
		secret := &metav1.PartialObjectMetadata{}
		secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
		return g.c.Get(ctx, client.ObjectKey{Namespace: g.Namespace, Name: name}, secret)
	})
}

// exist says of each name whether there is such an object.
func (g *gatherer) exist(names []string, get func(string) error) checks.Known[map[string]bool] {
	if g.chart == nil {
		return checks.Not[map[string]bool](g.noChart())
	}
	there := map[string]bool{}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name == "" {
			continue
		}
		err := get(name)
		if client.IgnoreNotFound(err) != nil {
			return read[map[string]bool](g, nil, err)
		}
		there[name] = err == nil
	}
	return checks.Of(there)
}

// foreign are objects of the whole cluster by the chart's names that Helm would refuse to take.
func foreign(ctx context.Context, g *gatherer) {
	if g.chart == nil {
		g.facts.Foreign = checks.Not[[]string](g.noChart())
		return
	}
	var names []string
	for _, object := range g.chart {
		if object.GetNamespace() != "" || object.GetKind() == "CustomResourceDefinition" {
			continue // odi install takes over its kinds by itself
		}
		found := &metav1.PartialObjectMetadata{}
		found.SetGroupVersionKind(object.GroupVersionKind())
		err := g.c.Get(ctx, client.ObjectKeyFromObject(object), found)
		if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			g.facts.Foreign = read[[]string](g, nil, err)
			return
		}
		marks := found.GetAnnotations()
		if marks[kinds.ReleaseNameAnnotation] != release.Name || marks[kinds.ReleaseNamespaceAnnotation] != g.Namespace {
			names = append(names, strings.ToLower(object.GetKind())+"/"+object.GetName())
		}
	}
	g.facts.Foreign = checks.Of(names)
}
