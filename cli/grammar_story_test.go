package cli_test

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
)

// newInstalled is a server on which odi was installed and nothing runs: there are no nodes.
func newInstalled(t *testing.T, values string) house {
	t.Helper()
	restConfig := testkit.APIServer(t)
	h := house{user: user{t}, c: testkit.Client(t, restConfig)}
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))
	testkit.Namespace(t, h.c, "shop")
	testkit.Create(t, h.c, deployment("shop", "cart"))
	h.sees(install+" --set crds.install=false"+values, 0, "")
	return h
}

func (h house) configs(namespace string) []string {
	h.t.Helper()
	var list odiv1.InstrumentationConfigList
	if err := h.c.List(h.t.Context(), &list, client.InNamespace(namespace)); err != nil {
		h.t.Fatal(err)
	}
	names := []string{}
	for _, config := range list.Items {
		names = append(names, config.Name)
	}
	return names
}

func (h house) wantConfigs(after string, want ...string) {
	h.t.Helper()
	got := h.configs("shop")
	if len(got) != len(want) {
		h.t.Fatalf("after %s there are the configs %v; want %v", after, got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			h.t.Fatalf("after %s there are the configs %v; want %v", after, got, want)
		}
	}
}

// apply writes a config as kubectl would.
func (h house) apply(name string, method odiv1.Method, target odiv1.Target) {
	h.t.Helper()
	config := &odiv1.InstrumentationConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       odiv1.InstrumentationConfigSpec{Method: method, Target: target},
	}
	if err := h.c.Create(h.t.Context(), config, client.FieldOwner("kubectl-client-side-apply")); err != nil {
		h.t.Fatal(err)
	}
}

// TestEveryCommandReadsNamesAlike: kind/name and kind name, with kubectl's short names, and dry runs change nothing.
func TestEveryCommandReadsNamesAlike(t *testing.T) {
	h := newInstalled(t, " --set excludedNamespaces={walled}")
	for _, name := range []string{"deployment/cart", "deployment cart", "deploy/cart", "deploy cart", "deployments cart", "deployment.apps/cart"} {
		h.sees("instrument "+name+" -n shop --dry-run", 0, "^deployment shop/cart: InstrumentationConfig shop/deployment-cart created \\(server dry run\\)\n")
		h.wantConfigs("a dry run of instrument " + name)
		h.sees("instrument "+name+" -n shop", 0, "^deployment shop/cart: InstrumentationConfig shop/deployment-cart created\n")
		h.sees("describe "+name+" -n shop", 3, "^deployment shop/cart\n")
		h.sees("uninstrument "+name+" -n shop --dry-run", 0, "InstrumentationConfig shop/deployment-cart deleted \\(server dry run\\)\n")
		h.wantConfigs("a dry run of uninstrument "+name, "deployment-cart")
		h.sees("uninstrument "+name+" -n shop", 0, "InstrumentationConfig shop/deployment-cart deleted\n$")
	}
	for _, name := range []string{"namespace shop", "ns/shop", "ns shop", "namespaces/shop"} {
		h.sees("instrument "+name, 0, "^namespace shop: InstrumentationConfig shop/namespace created\n")
		h.sees("describe "+name, 3, "^namespace shop\n")
		h.sees("uninstrument "+name, 0, "InstrumentationConfig shop/namespace deleted\n$")
	}
	h.sees("instrument deploy/cart -n shop --dry-run -o json", 0, `"kind": "InstrumentationConfig"`)
	t.Setenv("TOKEN", "s3cret")
	h.sees("destination add jaeger --endpoint https://j:4317 --from-env token=TOKEN --dry-run", 0, `^destination odi-system/jaeger added \(server dry run\)\n$`)
	h.sees("destination list", 0, "No destination yet")
	var secrets corev1.SecretList
	if err := h.c.List(t.Context(), &secrets, client.MatchingLabels{odiv1.LabelComponent: "destination"}); err != nil || len(secrets.Items) > 0 {
		t.Errorf("a dry run left %d secrets (%v)", len(secrets.Items), err)
	}

	// Where nothing may be instrumented, nothing is written, and no advice goes round in circles.
	testkit.Namespace(t, h.c, "walled")
	testkit.Create(t, h.c, deployment("walled", "cart"))
	for namespace, why := range map[string]string{
		"kube-system": "it belongs to Kubernetes itself", "odi-system": "it is odi's own",
		"walled": `the administrator has excluded it \(excludedNamespaces in the chart's values\)`,
	} {
		h.sees("instrument ns "+namespace, 2, "^odi: odi never instruments the namespace "+namespace+"; "+why+"\n$")
		if left := h.configs(namespace); len(left) > 0 {
			t.Errorf("%s has the configs %v", namespace, left)
		}
	}
	h.managerRuns()
	h.sees("describe ns/walled", 0, "Why is there no trace\\? odi never instruments the namespace walled; the administrator has excluded it")
	h.sees("describe deploy/cart -n walled", 0, "Why is there no trace\\? odi never instruments the namespace walled; the administrator has excluded it")
	h.sees("describe deploy/cart -n shop", 3, "No InstrumentationConfig selects it; to select it: odi instrument deployment/cart -n shop\n")
	h.sees("instrument deployment/cart -n shop", 0, "created")
	h.sees("describe deploy/cart -n shop", 0, "InstrumentationConfig deployment-cart selects it, and the manager has not taken it up yet")
	h.sees("describe ns/shop", 3, "the manager has not taken them up yet; to see them: kubectl -n shop get ic")

	// What is over, or elsewhere.
	over := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "over"}, Spec: batchv1.JobSpec{Template: testkit.PodTemplate("over", "app")}}
	over.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	testkit.Create(t, h.c, over)
	now := metav1.Now()
	over.Status = batchv1.JobStatus{StartTime: &now, CompletionTime: &now, Succeeded: 1, Conditions: []batchv1.JobCondition{
		{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue}, {Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}
	if err := h.c.Status().Update(t.Context(), over); err != nil {
		t.Fatal(err)
	}
	h.sees("instrument job/over -n shop", 2, "^odi: the job shop/over has finished: nothing of it will run any more\n$")
	h.sees("describe job over -n shop", 0, "no trace. the job shop/over has finished: nothing of it will run any more.\n$")
	h.sees("instrument deployment/cart", 2, "there is no deployment default/cart; there is one with -n ")

	h.sees("describe node/x -n shop", 2, "a node is in no namespace")
	h.sees("status -n nowhere", 2, "there is no namespace nowhere; there are: ")
	h.sees("status -n shop", 3, "(?s)^odi .* in odi-system\nWorkloads, configs and destinations of the namespace shop alone.*Problems:")
	h.sees("status -n odi-system", 3, "^odi [^\n]* in odi-system\n\n")
	h.sees("status --wait --timeout 1s", 3, "COMPONENT.*odi status: timed out after 1s: gateway is not ready")
	h.sees("version", 0, `^odi \S+ \(go.*\)\nin the cluster: odi \S+ in odi-system \(context "test"\)\n$`)
}

// TestAddEndsWhenWaitingIsInVain: what only another address or another key mends is said at once.
func TestAddEndsWhenWaitingIsInVain(t *testing.T) {
	h := newInstalled(t, "")
	h.sees("destination add jaeger --endpoint http://j:4317", 0, "added")
	say := func(reason, message string) {
		t.Helper()
		d := &odiv1.Destination{}
		if !h.is(d, "jaeger") {
			t.Fatal("the destination is gone")
		}
		d.Status.Conditions = []metav1.Condition{
			{Type: odiv1.ConditionReady, Status: metav1.ConditionTrue, Reason: odiv1.ReasonAccepted, ObservedGeneration: d.Generation, LastTransitionTime: metav1.Now()},
			{Type: odiv1.ConditionExporting, Status: metav1.ConditionFalse, Reason: reason, Message: message, ObservedGeneration: d.Generation, LastTransitionTime: metav1.Now()},
		}
		if err := h.c.Status().Update(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	add := "destination add jaeger --endpoint http://j:4317 --wait --timeout "
	say(odiv1.ReasonExportFailing, "Sending fails: connection refused.")
	h.sees(add+"1s", 1, "timed out after 1s: destination jaeger is not ready: Sending fails: connection refused; to see more: odi describe destination/jaeger -n odi-system\n$")
	say(odiv1.ReasonExportRefused, "Sending fails: it does not speak gRPC there.")
	began := time.Now()
	h.sees(add+"5m", 1, "^destination odi-system/jaeger unchanged\n.*odi: destination jaeger: Sending fails: it does not speak gRPC there\\.\n$")
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	h.managerRuns()
	h.sees("describe dest/jaeger", 3, "does not take the data .*: Sending fails: it does not speak gRPC there; check that")
	h.sees("status", 3, "jaeger +jaeger +False \\(ExportRefused\\)")
}

// managerRuns says of the manager what its Deployment would if anything ran here.
func (h house) managerRuns() {
	h.t.Helper()
	testkit.Eventually(h.t, 10*time.Second, "the manager is ready", func() bool {
		var manager appsv1.Deployment
		if err := h.c.Get(h.t.Context(), client.ObjectKey{Namespace: "odi-system", Name: "odi-manager"}, &manager); err != nil {
			return false
		}
		n := *manager.Spec.Replicas
		manager.Status = appsv1.DeploymentStatus{ObservedGeneration: manager.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n}
		return h.c.Status().Update(h.t.Context(), &manager) == nil
	})
}

// TestUninstrumentKeepsWhatSomebodyWrote: what odi did not make goes when somebody says so.
func TestUninstrumentKeepsWhatSomebodyWrote(t *testing.T) {
	h := newInstalled(t, "")
	cart := odiv1.Target{Kind: odiv1.KindDeployment, Name: "cart"}
	h.apply("theirs", odiv1.MethodEBPF, odiv1.Target{})
	h.apply("off", odiv1.MethodNone, odiv1.Target{})
	h.sees("uninstrument ns shop", 2, "^odi: the namespace shop is instrumented by InstrumentationConfig shop/theirs, which kubectl-client-side-apply wrote "+
		"and not odi instrument; to delete that: odi uninstrument namespace/shop --include-handwritten\n$")
	h.wantConfigs("a refusal", "off", "theirs")

	h.sees("instrument ns shop", 0, "created")
	h.sees("uninstrument ns shop", 0, "InstrumentationConfig shop/namespace deleted\n.*shop/theirs still instruments it; kubectl-client-side-apply wrote that")
	h.wantConfigs("taking back its own", "off", "theirs")
	h.sees("uninstrument ns shop", 0, "Delete that as well\\? \\[y/N\\] .*still instruments it", "n")
	h.wantConfigs("a no", "off", "theirs")
	h.sees("uninstrument ns shop", 0, "shop/theirs deleted\n", "y")
	h.wantConfigs("a yes", "off")

	h.apply("mine", odiv1.MethodAuto, cart)
	h.sees("uninstrument deploy/cart -n shop", 2, "shop/mine, which kubectl-client-side-apply wrote.*odi uninstrument deployment/cart -n shop --include-handwritten")
	h.sees("uninstrument deploy/cart -n shop --include-handwritten", 0, "shop/mine deleted\n$")
	h.wantConfigs("all of it", "off")

	// What odi instrument changed is its own from then on.
	h.apply("namespace", odiv1.MethodEBPF, odiv1.Target{})
	h.sees("instrument ns shop --method auto", 0, "changed")
	h.sees("uninstrument ns shop", 0, "shop/namespace deleted\n$")
	h.sees("uninstrument deploy/nope -n shop", 2, "there is no deployment shop/nope; there are: cart")
	h.wantConfigs("the end", "off")
}
