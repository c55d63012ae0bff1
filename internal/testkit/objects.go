package testkit

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// Deployment is a Deployment with containers of these names; no pod of it ever runs.
func Deployment(namespace, name string, containers ...string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
			Template: PodTemplate(name, containers...),
		},
	}
}

// PodTemplate is a template with containers of these names.
func PodTemplate(app string, containers ...string) corev1.PodTemplateSpec {
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}}}
	for _, name := range containers {
		template.Spec.Containers = append(template.Spec.Containers, corev1.Container{Name: name, Image: "example.test/app"})
	}
	return template
}

// Selected is what the select controller makes of a Deployment that exists.
func Selected(d *appsv1.Deployment, config string) *odiv1.InstrumentedWorkload {
	ref := workload.Reference{Namespace: d.Namespace, Kind: odiv1.KindDeployment, Name: d.Name}
	return &odiv1.InstrumentedWorkload{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace,
			Name:      ref.ObjectName(),
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "apps/v1", Kind: string(odiv1.KindDeployment), Name: d.Name, UID: d.UID},
			},
		},
		Spec: odiv1.InstrumentedWorkloadSpec{Workload: ref.Local(), Config: config},
	}
}

// WantEvent waits for an Event that `kubectl describe` of the object would show.
func WantEvent(t testing.TB, c client.Client, on client.Object, reason string) {
	t.Helper()
	Eventually(t, 15*time.Second, on.GetName()+" has an Event "+reason, func() bool {
		var list eventsv1.EventList
		if err := c.List(t.Context(), &list, client.InNamespace(on.GetNamespace())); err != nil {
			return false
		}
		for _, e := range list.Items {
			if e.Regarding.UID == on.GetUID() && e.Reason == reason {
				return true
			}
		}
		return false
	})
}
