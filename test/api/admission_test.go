package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/charts"
	"github.com/odi-dev/odi/internal/testkit"
)

const (
	managerUser = "system:serviceaccount:odi-system:odi-manager"
	odigletUser = "system:serviceaccount:odi-system:odiglet"
)

// policies are the chart's admission policies, as `helm install` makes them.
func policies(t *testing.T) []client.Object {
	t.Helper()
	chart, err := charts.Load()
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler)))
	install.ReleaseName, install.Namespace, install.DryRunStrategy = "odi", "odi-system", action.DryRunClient
	install.APIVersions = common.VersionSet{"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"}
	if install.KubeVersion, err = common.ParseKubeVersion("v1.36.3"); err != nil {
		t.Fatal(err)
	}
	rendered, err := install.RunWithContext(t.Context(), chart, nil)
	if err != nil {
		t.Fatal(err)
	}
	var found []client.Object
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(rendered.(*releasev1.Release).Manifest), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(o.GetKind(), "ValidatingAdmissionPolicy") {
			found = append(found, o)
		}
	}
	if len(found) != 14 {
		t.Fatalf("%d policies and bindings, want 14", len(found))
	}
	return found
}

// TestWhoIsTakenOverStaysSmall gives the accounts every right that RBAC has, so
// that what is refused is refused by the policies.
func TestWhoIsTakenOverStaysSmall(t *testing.T) {
	admin := testkit.APIServer(t)
	c := testkit.Client(t, admin)
	as := func(user, node string) client.Client {
		config := rest.CopyConfig(admin)
		config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
		if node != "" {
			config.Impersonate.Extra = map[string][]string{"authentication.kubernetes.io/node-name": {node}}
		}
		return testkit.Client(t, config)
	}
	manager, person := as(managerUser, ""), as("jane", "")
	testkit.Namespace(t, c, "odi-system")
	testkit.Namespace(t, c, "shop")
	gateway, odiglet, cart := podOf("gateway"), podOf("odiglet"), podOf("cart")
	gateway.Name = "odi-gateway-1"
	cart.Namespace = "shop"
	testkit.Create(t, c, gateway, odiglet, cart)
	testkit.Create(t, c, policies(t)...)
	for what, probe := range map[string]func() error{
		"on Secrets":              creates(t, manager, secret("odi-system", "probe", corev1.SecretTypeOpaque)),
		"on pods":                 creates(t, manager, podOf("probe")),
		"on evictions":            evicts(t, manager, cart, ""),
		"on exec":                 starts(t, masters(admin, managerUser), "odiglet", "c", "true"),
		"on InstrumentedWorkload": creates(t, person, instrumented("deployment-probe")),
		"on NodeInstrumentations": creates(t, as(odigletUser, ""), report("probe")),
	} {
		testkit.Eventually(t, 20*time.Second, "the policy is in force "+what, func() bool { return apierrors.IsForbidden(probe()) })
	}
	token := secret("odi-system", "odi-gateway-tls", corev1.SecretTypeServiceAccountToken)
	token.Annotations = map[string]string{corev1.ServiceAccountNameKey: "odiglet"}

	tests := map[string]struct {
		do          func() error
		wantRefusal string
	}{
		"the manager makes its Secret":               {do: creates(t, manager, secret("odi-system", "odi-gateway-tls", corev1.SecretTypeOpaque))},
		"the manager makes a token of the odiglet's": {creates(t, manager, token), "no tokens"},
		"the manager makes another Secret":           {creates(t, manager, secret("odi-system", "x", corev1.SecretTypeOpaque)), "only the files"},
		"the manager makes one in another namespace": {creates(t, manager, secret("shop", "odi-gateway-tls", corev1.SecretTypeOpaque)), "only the files"},
		"the manager makes another ConfigMap": {
			creates(t, manager, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "x"}}), "only the files",
		},
		"the manager touches the gateway":           {do: patches(t, manager, gateway, `{"metadata":{"annotations":{"odi.dev/config-hash":"1"}}}`)},
		"the manager touches the gateway again":     {do: patches(t, manager, gateway, `{"metadata":{"annotations":{"odi.dev/config-hash":"2"}}}`)},
		"the manager changes another annotation":    {patches(t, manager, gateway, `{"metadata":{"annotations":{"x":"1"}}}`), "one annotation"},
		"the manager changes the gateway's image":   {patches(t, manager, gateway, `{"spec":{"containers":[{"name":"c","image":"evil"}]}}`), "one annotation"},
		"the manager changes a label":               {patches(t, manager, gateway, `{"metadata":{"labels":{"x":"1"}}}`), "one annotation"},
		"the manager changes the odiglet's image":   {patches(t, manager, odiglet, `{"spec":{"containers":[{"name":"c","image":"evil"}]}}`), "only the gateway's pods"},
		"the manager touches the odiglet":           {patches(t, manager, odiglet, `{"metadata":{"annotations":{"odi.dev/config-hash":"1"}}}`), "only the gateway's pods"},
		"the manager makes a pod":                   {creates(t, manager, podOf("new")), "neither makes nor deletes"},
		"the manager deletes a pod":                 {func() error { return manager.Delete(t.Context(), odiglet, client.DryRunAll) }, "neither makes nor deletes"},
		"the manager evicts the pod that it saw":    {do: evicts(t, manager, cart, cart.ResourceVersion)},
		"the manager evicts a pod as it may be now": {evicts(t, manager, cart, ""), "only a pod that is as it saw it"},
		"the manager evicts a pod of odi's":         {evicts(t, manager, gateway, gateway.ResourceVersion), "no pod of an excluded namespace"},
		"somebody else evicts a pod":                {do: evicts(t, person, cart, "")},
		"the manager has the gateway asked":         {do: starts(t, masters(admin, managerUser), "odi-gateway-1", "collector", asks...)},
		"the manager asks an odiglet":               {starts(t, masters(admin, managerUser), "odiglet", "collector", asks...), "the gateway's pods alone"},
		"the manager starts another program": {
			starts(t, masters(admin, managerUser), "odi-gateway-1", "collector", "/usr/bin/odi-collector"), "starts nothing else",
		},
		"the manager asks with a configuration of its own": {
			starts(t, masters(admin, managerUser), "odi-gateway-1", "collector", asks[0], asks[1], "--config=file:/tmp/x", asks[3]), "starts nothing else",
		},
		"somebody else starts a program":               {do: starts(t, masters(admin, "jane"), "odiglet", "c", "true")},
		"the manager instruments":                      {do: creates(t, manager, instrumented("deployment-a"))},
		"somebody else instruments by hand":            {creates(t, person, instrumented("deployment-b")), "InstrumentationConfig"},
		"an odiglet instruments":                       {creates(t, as(odigletUser, "n1"), instrumented("deployment-b")), "InstrumentationConfig"},
		"an odiglet reports of its node":               {do: creates(t, as(odigletUser, "n1"), report("n1"))},
		"an odiglet reports of another node":           {creates(t, as(odigletUser, "n1"), report("n2")), "may not write"},
		"an odiglet says that it lives":                {do: creates(t, as(odigletUser, "n1"), lease("odi-system", "odiglet-n1"))},
		"an odiglet says that another lives":           {creates(t, as(odigletUser, "n1"), lease("odi-system", "odiglet-n2")), "may not write leases odiglet-n2"},
		"an odiglet takes the manager's turn":          {creates(t, as(odigletUser, "n1"), lease("odi-system", "odi-manager")), "may not write leases odi-manager"},
		"somebody else has a Lease":                    {do: creates(t, person, lease("odi-system", "mine"))},
		"an odiglet's token of no node reports of one": {creates(t, as(odigletUser, ""), report("n1")), "may not write"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := tc.do()
			if tc.wantRefusal == "" && err != nil {
				t.Errorf("it was refused: %v", err)
			}
			if tc.wantRefusal != "" && (err == nil || !strings.Contains(err.Error(), tc.wantRefusal)) {
				t.Errorf("got %v, want a refusal with %q", err, tc.wantRefusal)
			}
		})
	}

	t.Run("what the manager made can be deleted by hand", func(t *testing.T) {
		made := instrumented("deployment-c")
		testkit.Create(t, manager, made)
		if err := person.Delete(t.Context(), made); err != nil {
			t.Error(err)
		}
	})
}

func creates(t *testing.T, c client.Client, o client.Object) func() error {
	return func() error { return c.Create(t.Context(), o, client.DryRunAll) }
}

// asks is what the manager may start.
var asks = []string{"/usr/bin/odi-collector", "ask", "--config=live:/etc/odi-collector/config.yaml", "--destination=shop/jaeger"}

// masters is somebody whom RBAC allows everything.
func masters(admin *rest.Config, user string) *rest.Config {
	config := rest.CopyConfig(admin)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	return config
}

// starts a program, as far as the API server lets one: no kubelet has the pod.
func starts(t *testing.T, config *rest.Config, pod, container string, command ...string) func() error {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return func() error {
		err := clientset.CoreV1().RESTClient().Post().Namespace("odi-system").Resource("pods").Name(pod).SubResource("exec").
			VersionedParams(&corev1.PodExecOptions{Container: container, Command: command, Stdout: true}, scheme.ParameterCodec).Do(t.Context()).Error()
		if apierrors.IsForbidden(err) {
			return err
		}
		return nil
	}
}

// evicts names the pod by its UID, and as it was at a version unless that is empty.
func evicts(t *testing.T, c client.Client, pod *corev1.Pod, version string) func() error {
	eviction := &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name},
		DeleteOptions: &metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}, Preconditions: &metav1.Preconditions{UID: &pod.UID}},
	}
	if version != "" {
		eviction.DeleteOptions.Preconditions.ResourceVersion = &version
	}
	return func() error {
		return c.SubResource("eviction").Create(t.Context(), pod.DeepCopy(), eviction.DeepCopy())
	}
}

func patches(t *testing.T, c client.Client, o client.Object, patch string) func() error {
	if !json.Valid([]byte(patch)) {
		t.Fatalf("not a patch: %s", patch)
	}
	return func() error {
		return c.Patch(t.Context(), o.DeepCopyObject().(client.Object), client.RawPatch(types.MergePatchType, []byte(patch)))
	}
}

func secret(namespace, name string, kind corev1.SecretType) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: kind}
}

func podOf(component string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: component, Labels: map[string]string{odiv1.LabelComponent: component}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "image"}}},
	}
}

func instrumented(name string) *odiv1.InstrumentedWorkload {
	return &odiv1.InstrumentedWorkload{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       odiv1.InstrumentedWorkloadSpec{Workload: odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: strings.TrimPrefix(name, "deployment-")}},
	}
}

func lease(namespace, name string) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func report(node string) *odiv1.NodeInstrumentation {
	return &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: node}}
}
