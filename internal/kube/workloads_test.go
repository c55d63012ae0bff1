package kube

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// TestReadWorkload holds what is read of every kind, and that the cache keeps all of it.
func TestReadWorkload(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	spec := corev1.PodSpec{
		InitContainers: []corev1.Container{
			{Name: "migrate", Image: "i"}, {Name: "proxy", Image: "i", RestartPolicy: &always}, {Name: "warm", Image: "i"},
		},
		Containers: []corev1.Container{{
			Name: "app", Image: "i",
			Env: []corev1.EnvVar{
				{Name: "PASSWORD", Value: "secret"}, {Name: "NODE_OPTIONS", Value: "--secret"},
				{Name: "ALL", Value: "secret $(NODE_OPTIONS) $(PASSWORD)"}, {Name: "CORECLR_PROFILER", Value: "{1}"},
				{Name: "PYTHONPATH", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
			},
			Command: []string{"sh", "-c", "secret ${PYTHONPATH}:/app exec x"}, Args: []string{"secret"},
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
			}},
			LivenessProbe: &corev1.Probe{InitialDelaySeconds: 5, PeriodSeconds: 10, FailureThreshold: 3},
		}},
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "registry"}},
	}
	wantTemplate := Template{PullSecrets: []string{"registry"}, Containers: map[string]ContainerTemplate{"app": {
		Environment: []Variable{
			{Name: "NODE_OPTIONS"}, {Name: "ALL", Value: "$(NODE_OPTIONS)"}, {Name: "CORECLR_PROFILER", Value: "{1}"}, {Name: "PYTHONPATH", Elsewhere: true},
		},
		Words:       []string{"$(PYTHONPATH)"},
		MemoryLimit: 64 << 20, CPULimit: 250, StartWithin: 35 * time.Second,
	}}}
	template := corev1.PodTemplateSpec{Spec: spec}
	named := metav1.ObjectMeta{Namespace: "shop", Name: "x", UID: "u", Labels: map[string]string{"tier": "web"}}
	owned := func(apiVersion, kind, name string) metav1.ObjectMeta {
		m := named
		m.OwnerReferences = []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: "o", Controller: new(true)}}
		return m
	}
	finished := batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}
	zero := new(int32)
	for name, tc := range map[string]struct {
		object client.Object
		kind   odiv1.WorkloadKind // empty when it is no workload
		called string             // x unless its owner stands for it
		idle   string
	}{
		"a Deployment":  {object: &appsv1.Deployment{ObjectMeta: named, Spec: appsv1.DeploymentSpec{Template: template}}, kind: "Deployment"},
		"a StatefulSet": {object: &appsv1.StatefulSet{ObjectMeta: named, Spec: appsv1.StatefulSetSpec{Template: template, Replicas: zero}}, kind: "StatefulSet", idle: "The workload is scaled to zero."},
		"a DaemonSet":   {object: &appsv1.DaemonSet{ObjectMeta: named, Spec: appsv1.DaemonSetSpec{Template: template}}, kind: "DaemonSet"},
		"a CronJob that is suspended": {object: &batchv1.CronJob{ObjectMeta: named, Spec: batchv1.CronJobSpec{Suspend: new(true),
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template}}}}, kind: "CronJob", idle: "The CronJob is suspended."},
		"a Job that is over": {object: &batchv1.Job{ObjectMeta: named, Spec: batchv1.JobSpec{Template: template}, Status: finished}, kind: "Job",
			idle: "The Job has finished: nothing of it will run any more."},
		"a CronJob's Job":                {object: &batchv1.Job{ObjectMeta: owned("batch/v1", "CronJob", "c"), Spec: batchv1.JobSpec{Template: template}}},
		"a lone ReplicaSet":              {object: &appsv1.ReplicaSet{ObjectMeta: named, Spec: appsv1.ReplicaSetSpec{Template: template, Replicas: zero}}, kind: "ReplicaSet", idle: "The workload is scaled to zero."},
		"a Deployment's ReplicaSet":      {object: &appsv1.ReplicaSet{ObjectMeta: owned("apps/v1", "Deployment", "d"), Spec: appsv1.ReplicaSetSpec{Template: template}}},
		"another controller's":           {object: &appsv1.ReplicaSet{ObjectMeta: owned("argoproj.io/v1alpha1", "Rollout", "r"), Spec: appsv1.ReplicaSetSpec{Template: template}}, kind: "Rollout.argoproj.io", called: "r"},
		"a ReplicationController":        {object: &corev1.ReplicationController{ObjectMeta: named, Spec: corev1.ReplicationControllerSpec{Template: &template}}, kind: "ReplicationController"},
		"a lone pod":                     {object: &corev1.Pod{ObjectMeta: named, Spec: spec}, kind: "Pod"},
		"a static pod":                   {object: &corev1.Pod{ObjectMeta: owned("v1", "Node", "n1"), Spec: spec}, kind: "Pod"},
		"a pod that has failed":          {object: &corev1.Pod{ObjectMeta: named, Spec: spec, Status: corev1.PodStatus{Phase: corev1.PodFailed}}},
		"a pod of a ReplicaSet":          {object: &corev1.Pod{ObjectMeta: owned("apps/v1", "ReplicaSet", "d-1"), Spec: spec}},
		"a pod that another pod made":    {object: &corev1.Pod{ObjectMeta: owned("v1", "Pod", "driver"), Spec: spec}, kind: "Pod", called: "driver"},
		"a pod of another controller":    {object: &corev1.Pod{ObjectMeta: owned("v1", "ConfigMap", "code"), Spec: spec}, kind: "ConfigMap.core", called: "code"},
		"an object without pods of ours": {object: &corev1.Service{ObjectMeta: named}},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(obj client.Object) {
				t.Helper()
				w, is := ReadWorkload(obj)
				if is != (tc.kind != "") {
					t.Fatalf("is a workload: %v", is)
				}
				if !is {
					return
				}
				want := tc.called
				if want == "" {
					want = "x"
				}
				if w.Kind != tc.kind || w.Name != want || w.Idle != tc.idle || w.Object.GetLabels()["tier"] != "web" {
					t.Errorf("read as %+v", w)
				}
				if diff := cmp.Diff(wantTemplate, w.Template); diff != "" {
					t.Errorf("template (-want +got):\n%s", diff)
				}
				if !slices.Equal(w.Containers, []string{"migrate", "proxy", "warm", "app"}) || !slices.Equal(w.Passing, []string{"migrate", "warm"}) {
					t.Errorf("containers %v, of which %v pass", w.Containers, w.Passing)
				}
			}
			check(tc.object)
			if NewWorkloadObject(odiv1.WorkloadKind(kindOf(tc.object))) == nil {
				return
			}
			kept, err := stripWorkload("odi-system")(tc.object.DeepCopyObject())
			if err != nil {
				t.Fatal(err)
			}
			check(kept.(client.Object))
			if text := fmt.Sprint(kept); strings.Contains(text, "secret") {
				t.Errorf("the cache keeps a value of the environment: %s", text)
			}
		})
	}
}

func kindOf(obj client.Object) string {
	shape, _ := readShape(obj)
	return string(shape.kind)
}
