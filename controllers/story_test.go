package controllers

import (
	"bytes"
	"os"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestStory goes the whole way from a user's wish to "instrumented" and back,
// with every controller, and with no right but those of the generated role.
func TestStory(t *testing.T) {
	admin := testkit.APIServer(t)
	c := testkit.Client(t, admin)
	testkit.Namespace(t, c, "odi-system")
	testkit.Namespace(t, c, "shop")
	bindRole(t, c)
	asManager := rest.CopyConfig(admin)
	asManager.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:odi-system:odi-manager",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:odi-system", "system:authenticated"},
	}
	testkit.Create(t, c, testkit.Deployment("odi-system", "odi-manager", "manager"))
	testkit.RunLeader(t, asManager, kube.Config{
		Namespace: "odi-system", ManagerName: "odi-manager",
	}, Setup)

	early := &odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "early"}}
	testkit.Create(t, c, early)
	testkit.EventuallyObject(t, c, early, "the manager is at work", func(ic *odiv1.InstrumentationConfig) bool {
		return meta.IsStatusConditionTrue(ic.Status.Conditions, odiv1.ConditionReady)
	})

	for _, name := range []string{"odi-gateway-tls", "odi-node-collector-tls", "odi-odiglet-tls"} {
		tls := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: name}}
		testkit.EventuallyObject(t, c, tls, "odi's components have certificates", func(s *corev1.Secret) bool {
			return len(s.Data) >= 3 && len(s.OwnerReferences) == 1
		})
	}

	cart := testkit.Deployment("shop", "cart", "app")
	testkit.Create(t, c, cart)
	start := time.Now()
	all := &odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "all"}}
	testkit.Create(t, c, all)
	iw := &odiv1.InstrumentedWorkload{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deployment-cart"}}
	testkit.EventuallyObject(t, c, iw, "cart is decided", func(iw *odiv1.InstrumentedWorkload) bool {
		return len(iw.Spec.Containers) == 1 && iw.Spec.Containers[0].Method == odiv1.MethodEBPF
	})
	t.Logf("decided %s after the config was made", time.Since(start).Round(time.Millisecond))

	ni := &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: "node"}}
	testkit.Create(t, c, ni)
	ni.Status.Containers = []odiv1.ContainerFact{{
		Namespace: "shop", Workload: iw.Spec.Workload, Container: "app",
		Runtime: odiv1.Runtime{Language: "go", Version: "1.26.8", Libc: "static"},
		Pods:    1, AttachedPods: 1, Processes: 1, Attached: 1,
	}}
	if err := c.Status().Update(t.Context(), ni); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyObject(t, c, iw, "cart is instrumented and every condition is true", func(iw *odiv1.InstrumentedWorkload) bool {
		for _, kind := range []string{odiv1.ConditionSelected, odiv1.ConditionDecided, odiv1.ConditionRuntimeDetected, odiv1.ConditionInstrumented} {
			if !meta.IsStatusConditionTrue(iw.Status.Conditions, kind) {
				return false
			}
		}
		return iw.Status.Runtimes == "go 1.26.8" && iw.Status.Methods == "eBPF"
	})
	testkit.EventuallyObject(t, c, all, "the config counts it", func(ic *odiv1.InstrumentationConfig) bool {
		return ic.Status.Workloads == 1 && ic.Status.Instrumented == 1
	})
	for _, reason := range []string{odiv1.ReasonSelected, odiv1.ReasonMethodEBPF, odiv1.ReasonRuntimeDetected, odiv1.ReasonAttached} {
		testkit.WantEvent(t, c, cart, reason)
	}

	if err := c.Delete(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "nothing is left of it", func() bool {
		return apierrors.IsNotFound(c.Get(t.Context(), client.ObjectKeyFromObject(iw), iw))
	})
	wantUntouched(t, c, cart)
	wantNoEcho(t, c)
}

// wantUntouched proves that no controller ever wrote to the user's workload.
func wantUntouched(t *testing.T, c client.Client, created *appsv1.Deployment) {
	t.Helper()
	var now appsv1.Deployment
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(created), &now); err != nil {
		t.Fatal(err)
	}
	if now.ResourceVersion != created.ResourceVersion {
		t.Errorf("the Deployment was changed: %v", now.ManagedFields)
	}
}

// wantNoEcho proves that controllers do not answer their own writes: each Event happened once.
func wantNoEcho(t *testing.T, c client.Client) {
	t.Helper()
	var list eventsv1.EventList
	if err := c.List(t.Context(), &list, client.InNamespace("shop")); err != nil {
		t.Fatal(err)
	}
	for _, e := range list.Items {
		if e.Series != nil {
			t.Errorf("%s on %s happened %d times: %s", e.Reason, e.Regarding.Name, e.Series.Count, e.Note)
		}
	}
}

// bindRole gives the manager's ServiceAccount what config/rbac/manager.yaml says.
func bindRole(t *testing.T, c client.Client) {
	t.Helper()
	content, err := os.ReadFile("../config/rbac/manager.yaml")
	if err != nil {
		t.Fatal(err)
	}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "odi-system", Name: "odi-manager"}}
	for _, document := range bytes.Split(content, []byte("\n---\n")) {
		role := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, role); err != nil {
			t.Fatal(err)
		}
		testkit.Create(t, c, role)
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: role.GetKind(), Name: role.GetName()}
		named := metav1.ObjectMeta{Name: "odi-manager", Namespace: role.GetNamespace()}
		if role.GetKind() == "Role" {
			testkit.Create(t, c, &rbacv1.RoleBinding{ObjectMeta: named, RoleRef: ref, Subjects: subjects})
			continue
		}
		testkit.Create(t, c, &rbacv1.ClusterRoleBinding{ObjectMeta: named, RoleRef: ref, Subjects: subjects})
	}
}
