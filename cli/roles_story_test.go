package cli_test

import (
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestBuiltinRolesKnowOdi: who has Kubernetes' own role edit in a namespace may have its workloads
// instrumented and ask why there is no trace; who has view may ask and look, and change nothing.
func TestBuiltinRolesKnowOdi(t *testing.T) {
	restConfig := testkit.APIServer(t)
	scheme, err := cluster.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{"shop", "payments", "odi-system"} {
		testkit.Namespace(t, c, namespace)
	}
	testkit.Create(t, c, deployment("shop", "cart"))
	testkit.Create(t, c, userRoles(t)...)
	for _, role := range []string{"view", "edit"} {
		aggregate(t, c, role)
		testkit.Create(t, c, bound("shop", role))
	}
	as := func(name string) user {
		t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, name))
		return user{t}
	}
	testkit.Eventually(t, 20*time.Second, "the API server knows the roles", func() bool {
		_, _, code := as("of-edit").types("uninstrument namespace shop")
		return code == 0
	})

	u := as("of-view")
	u.sees("describe deployment/cart -n shop", 3, "Why is there no trace\\? No InstrumentationConfig selects it")
	u.sees("instrument namespace shop", 1, "of-view may not create instrumentationconfigs.odi.dev in the namespace shop")
	u.sees("destination add debug -n shop", 1, "of-view may not create destinations.odi.dev in the namespace shop")

	u = as("of-edit")
	u.sees("instrument deployment cart -n shop", 0, "InstrumentationConfig shop/deployment-cart created")
	u.sees("destination add debug -n shop", 0, "destination shop/debug added")
	u.sees("describe deployment/cart -n shop", 0, "Why is there no trace\\?")
	u.sees("describe namespace/shop", 3, "Why is there no trace\\?")
	u.sees("instrument namespace payments", 1, "of-edit may not get instrumentationconfigs.odi.dev in the namespace payments")

	// What odi decides is nobody else's to write, and a destination that the user may not see is not denied.
	editor := rbacv1.ClusterRole{}
	if err := c.Get(t.Context(), client.ObjectKey{Name: "edit"}, &editor); err != nil {
		t.Fatal(err)
	}
	for _, rule := range editor.Rules {
		if strings.Contains(strings.Join(rule.Resources, " "), "instrumentedworkloads") && strings.Contains(strings.Join(rule.Verbs, " "), "create") {
			t.Error("edit may write InstrumentedWorkloads")
		}
	}
	decide(t, c)
	u.sees("destination remove debug -n shop", 0, "removed")
	u.sees("describe deployment/cart -n shop", 0, "which of the namespace odi-system do, you may not see")

	u = as("of-view")
	u.sees("describe deployment/cart -n shop", 0, "which of the namespace odi-system do, you may not see")
	u.sees("uninstrument deployment cart -n shop", 1, "of-view may not delete instrumentationconfigs.odi.dev in the namespace shop")
}

// userRoles are the chart's roles for users.
func userRoles(t *testing.T) []client.Object {
	t.Helper()
	manifests, err := release.Render(t.Context(), "odi-system", nil)
	if err != nil {
		t.Fatal(err)
	}
	var found []client.Object
	for _, document := range strings.Split(manifests, "\n---\n") {
		role := &rbacv1.ClusterRole{}
		if err := yaml.Unmarshal([]byte(document), role); err != nil || role.Kind != "ClusterRole" {
			continue
		}
		if role.Name == "odi-view" || role.Name == "odi-edit" {
			found = append(found, role)
		}
	}
	if len(found) != 2 {
		t.Fatalf("%d roles for users, want 2", len(found))
	}
	return found
}

// aggregate does by hand what a controller of Kubernetes does: the test has an API server alone.
func aggregate(t *testing.T, c client.Client, name string) {
	t.Helper()
	var role rbacv1.ClusterRole
	testkit.Eventually(t, 20*time.Second, "the API server has the role "+name, func() bool {
		return c.Get(t.Context(), client.ObjectKey{Name: name}, &role) == nil && role.AggregationRule != nil
	})
	var all rbacv1.ClusterRoleList
	if err := c.List(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	role.Rules = nil
	for _, selector := range role.AggregationRule.ClusterRoleSelectors {
		s, err := metav1.LabelSelectorAsSelector(&selector)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range all.Items {
			if s.Matches(labels.Set(other.Labels)) {
				role.Rules = append(role.Rules, other.Rules...)
			}
		}
	}
	if err := c.Update(t.Context(), &role); err != nil {
		t.Fatal(err)
	}
}

// bound gives the user of-ROLE a role in a namespace.
func bound(namespace, role string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "of-" + role}},
	}
}

// decide writes what the manager and an odiglet would have made of the cart.
func decide(t *testing.T, c client.Client) {
	t.Helper()
	iw := &odiv1.InstrumentedWorkload{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deployment-cart"},
		Spec: odiv1.InstrumentedWorkloadSpec{
			Workload: odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: "cart"}, Config: "deployment-cart",
			Containers: []odiv1.ContainerDecision{{Name: "cart", Method: odiv1.MethodEBPF, Reason: odiv1.ReasonMethodEBPF}},
		},
	}
	testkit.Create(t, c, iw)
	for _, kind := range []string{odiv1.ConditionSelected, odiv1.ConditionRuntimeDetected, odiv1.ConditionDecided, odiv1.ConditionInstrumented} {
		iw.Status.Conditions = append(iw.Status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, Reason: odiv1.ReasonAttached, Message: "So it is.", LastTransitionTime: metav1.Now(),
		})
	}
	if err := c.Status().Update(t.Context(), iw); err != nil {
		t.Fatal(err)
	}
}
