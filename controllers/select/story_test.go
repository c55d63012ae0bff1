package selection

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestStory tells how workloads of a namespace come to be selected and stop being so.
func TestStory(t *testing.T) {
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.RunManager(t, restConfig, kube.Config{Namespace: "odi-system"}, Setup)
	testkit.Namespace(t, c, "shop")
	testkit.Create(t, c, deployment("shop", "cart", "tier", "web"), deployment("shop", "db", "tier", "data"))
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "report-29384756"}, Spec: batchv1.JobSpec{Template: testkit.PodTemplate("a", "app")}}
	job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	job.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: "report", UID: "u", Controller: new(true)}}
	cron := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "report"}, Spec: batchv1.CronJobSpec{
		Schedule: "@daily", JobTemplate: batchv1.JobTemplateSpec{Spec: job.Spec}}}
	testkit.Create(t, c, cron, job)

	t.Log("A config for the namespace selects every workload, a CronJob once and not its Jobs.")
	all := config("shop", "all", odiv1.Target{})
	all.Spec.Sampling.Ratio = "10%"
	if err := c.Create(t.Context(), all.DeepCopy()); err == nil || !strings.Contains(err.Error(), "spec.sampling.ratio") {
		t.Errorf("10%% of the traces is taken: %v", err)
	}
	all.Spec.Sampling.Ratio = ""
	for field, rule := range map[string]odiv1.SamplingRule{
		"path":                   {Path: "healthz", Ratio: "0"},
		"method":                 {Method: "get", Path: "/healthz", Ratio: "0"},
		"ratio":                  {Path: "/healthz", Ratio: "10%"},
		"at most 128 characters": {Path: "/" + strings.Repeat("a", 128), Ratio: "0"},
	} {
		all.Spec.Sampling.Rules = []odiv1.SamplingRule{rule}
		if err := c.Create(t.Context(), all.DeepCopy()); err == nil || !strings.Contains(err.Error(), "spec.sampling.rules[0]") || !strings.Contains(err.Error(), field) {
			t.Errorf("rule %v is taken: %v", rule, err)
		}
	}
	all.Spec.Sampling.Rules = make([]odiv1.SamplingRule, 17)
	if err := c.Create(t.Context(), all.DeepCopy()); err == nil || !strings.Contains(err.Error(), "at most 16 items") {
		t.Errorf("17 rules are taken: %v", err)
	}
	all.Spec.Sampling.Ratio, all.Spec.HTTP.QueryKeys = "0.1", []string{"q", "lang"}
	all.Spec.Sampling.Rules = []odiv1.SamplingRule{{Path: "/healthz", Ratio: "0"}, {Method: "POST", Path: "/orders/*", Ratio: "1"}}
	testkit.Create(t, c, all)
	wantConfig(t, c, all, verdict{metav1.ConditionTrue, odiv1.ReasonSelected, "Selected 3 workloads. Rules of sampling are for traces that HTTP/1 " +
		"requests begin where eBPF watches; gRPC, HTTP/2 and agents go by the ratio alone."})
	for _, name := range []string{"deployment-cart", "deployment-db", "cronjob-report"} {
		iw := wantSelected(t, c, "shop", name, "all")
		if len(iw.OwnerReferences) != 1 || iw.OwnerReferences[0].Name != iw.Spec.Workload.Name {
			t.Errorf("%s is owned by %v, want its workload", name, iw.OwnerReferences)
		}
		if iw.Spec.SamplingRatio != "0.1" {
			t.Errorf("of %s %q is recorded", name, iw.Spec.SamplingRatio)
		}
		if !slices.Equal(iw.Spec.SamplingRules, all.Spec.Sampling.Rules) {
			t.Errorf("the rules of %s are %v", name, iw.Spec.SamplingRules)
		}
		if !slices.Equal(iw.Spec.QueryKeys, all.Spec.HTTP.QueryKeys) {
			t.Errorf("of queries to %s, %v is shown", name, iw.Spec.QueryKeys)
		}
	}
	t.Log("Propagation is on unless somebody says no, and what was selected follows.")
	wrong := all.DeepCopy()
	wrong.Spec.Propagation = "Off"
	if err := c.Update(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "spec.propagation") {
		t.Errorf("propagation Off is taken: %v", err)
	}
	changed := all.DeepCopy()
	if changed.Spec.Propagation != odiv1.PropagationAuto {
		t.Errorf("propagation is %q by default", changed.Spec.Propagation)
	}
	changed.Spec.HTTP.QueryKeys, changed.Spec.Propagation = nil, odiv1.PropagationNone
	changed.Spec.Sampling.Rules = nil
	if err := c.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	db := &odiv1.InstrumentedWorkload{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deployment-db"}}
	testkit.EventuallyObject(t, c, db, "nothing of queries is shown any more", func(iw *odiv1.InstrumentedWorkload) bool {
		return len(iw.Spec.QueryKeys) == 0 && iw.Spec.Propagation == odiv1.PropagationNone
	})
	all = changed
	wantGone(t, c, "shop", "job-report-29384756")

	t.Log("A workload that appears later is selected too; `kubectl describe` of it says so.")
	later := deployment("shop", "later", "tier", "web")
	testkit.Create(t, c, later)
	wantSelected(t, c, "shop", "deployment-later", "all")
	testkit.WantEvent(t, c, later, odiv1.ReasonSelected)

	t.Log("Labels are stronger than the namespace, a name is stronger than labels.")
	web := config("shop", "web", odiv1.Target{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "web"}}})
	cart := config("shop", "cart", odiv1.Target{Kind: odiv1.KindDeployment, Name: "cart"})
	testkit.Create(t, c, web, cart)
	wantSelected(t, c, "shop", "deployment-cart", "cart")
	wantSelected(t, c, "shop", "deployment-later", "web")
	wantSelected(t, c, "shop", "deployment-db", "all")
	wantConfig(t, c, web, verdict{metav1.ConditionTrue, odiv1.ReasonSelected, "Selected 1 of 2 matching workloads; stronger configs have the others: cart."})

	t.Log("A workload whose labels change goes to another config.")
	patchLabels(t, c, later, "data")
	wantSelected(t, c, "shop", "deployment-later", "all")

	t.Log("What is not selected any more is deselected; the weaker config takes over where there is one.")
	for _, gone := range []client.Object{cart, all} {
		if err := c.Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	wantSelected(t, c, "shop", "deployment-cart", "web")
	wantGone(t, c, "shop", "deployment-db")
	wantGone(t, c, "shop", "cronjob-report")
	testkit.WantEvent(t, c, cron, "Deselected")

	t.Log("A hand that changes our object changes nothing for long.")
	iw := wantSelected(t, c, "shop", "deployment-cart", "web")
	if err := c.Delete(t.Context(), iw); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 15*time.Second, "the InstrumentedWorkload is back", func() bool {
		var again odiv1.InstrumentedWorkload
		err := c.Get(t.Context(), client.ObjectKeyFromObject(iw), &again)
		return err == nil && again.UID != iw.UID
	})

	t.Log("A config that names nothing says so, and is at peace when its workload appears.")
	early := config("shop", "early", odiv1.Target{Kind: odiv1.KindStatefulSet, Name: "queue"})
	testkit.Create(t, c, early)
	wantConfig(t, c, early, verdict{metav1.ConditionFalse, odiv1.ReasonWorkloadNotFound, "There is no StatefulSet queue in namespace shop yet; it will be instrumented when it appears."})
	for kind, want := range map[string]metav1.ConditionStatus{odiv1.ConditionReconciling: "True", odiv1.ConditionStalled: "False"} {
		if got := meta.FindStatusCondition(early.Status.Conditions, kind); got == nil || got.Status != want {
			t.Errorf("%s of a config that came before its workload is %v, want %s", kind, got, want)
		}
	}
	testkit.Create(t, c, &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "queue"},
		Spec: appsv1.StatefulSetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "a"}}, Template: testkit.PodTemplate("a", "app")}})
	wantSelected(t, c, "shop", "statefulset-queue", "early")
	wantConfig(t, c, early, verdict{metav1.ConditionTrue, odiv1.ReasonSelected, "Selected 1 workload."})

	t.Log("Namespaces of Kubernetes are refused.")
	testkit.Create(t, c, deployment("kube-system", "dns", "tier", "dns"))
	system := config("kube-system", "all", odiv1.Target{})
	testkit.Create(t, c, system)
	wantConfig(t, c, system, verdict{metav1.ConditionFalse, odiv1.ReasonNamespaceExcluded,
		"Namespace kube-system is never instrumented: it belongs to Kubernetes, to odi, or is excluded by the administrator."})
	wantGone(t, c, "kube-system", "deployment-dns")
	testkit.WantEvent(t, c, system, odiv1.ReasonNamespaceExcluded)

	t.Run("many workloads", func(t *testing.T) { manyWorkloads(t, c) })
}

// manyWorkloads shows that a large namespace is selected in seconds, and at what pace.
func manyWorkloads(t *testing.T, c client.Client) {
	const many = 300 // Enough to tell the pace; each costs the test its creation as well.
	testkit.Namespace(t, c, "large")
	for i := range many {
		testkit.Create(t, c, deployment("large", fmt.Sprintf("d%d", i), "tier", "many"))
	}
	start := time.Now()
	all := config("large", "all", odiv1.Target{})
	testkit.Create(t, c, all)
	testkit.Eventually(t, 60*time.Second, "all are selected", func() bool {
		return c.Get(t.Context(), client.ObjectKeyFromObject(all), all) == nil && all.Status.Workloads == many
	})
	t.Logf("%d workloads selected in %s", many, time.Since(start).Round(10*time.Millisecond))
	start = time.Now()
	if err := c.Delete(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 60*time.Second, "they are deselected", func() bool {
		var left odiv1.InstrumentedWorkloadList
		return c.List(t.Context(), &left, client.InNamespace("large"), client.Limit(1)) == nil && len(left.Items) == 0
	})
	t.Logf("%d workloads deselected in %s", many, time.Since(start).Round(10*time.Millisecond))
}

func deployment(namespace, name, label, value string) *appsv1.Deployment {
	d := testkit.Deployment(namespace, name, "app")
	d.Labels = map[string]string{label: value}
	return d
}

func config(namespace, name string, target odiv1.Target) *odiv1.InstrumentationConfig {
	return &odiv1.InstrumentationConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       odiv1.InstrumentationConfigSpec{Target: target},
	}
}

func patchLabels(t *testing.T, c client.Client, d *appsv1.Deployment, tier string) {
	t.Helper()
	before := d.DeepCopy()
	d.Labels["tier"] = tier
	if err := c.Patch(t.Context(), d, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

func wantSelected(t *testing.T, c client.Client, namespace, name, by string) *odiv1.InstrumentedWorkload {
	t.Helper()
	iw := &odiv1.InstrumentedWorkload{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	testkit.EventuallyObject(t, c, iw, name+" is selected by "+by, func(iw *odiv1.InstrumentedWorkload) bool {
		return iw.Spec.Config == by && meta.IsStatusConditionTrue(iw.Status.Conditions, odiv1.ConditionSelected)
	})
	return iw
}

func wantGone(t *testing.T, c client.Client, namespace, name string) {
	t.Helper()
	testkit.Eventually(t, 15*time.Second, name+" is not selected", func() bool {
		err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &odiv1.InstrumentedWorkload{})
		return apierrors.IsNotFound(err)
	})
}

func wantConfig(t *testing.T, c client.Client, ic *odiv1.InstrumentationConfig, want verdict) {
	t.Helper()
	testkit.EventuallyObject(t, c, ic, ic.Name+" is "+want.reason+": "+want.message, func(ic *odiv1.InstrumentationConfig) bool {
		ready := meta.FindStatusCondition(ic.Status.Conditions, odiv1.ConditionReady)
		return ready != nil && ready.Status == want.status && ready.Reason == want.reason && ready.Message == want.message &&
			ready.ObservedGeneration == ic.Generation && ic.Status.ObservedGeneration == ic.Generation
	})
}
