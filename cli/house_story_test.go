package cli_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
)

// house is an API server with odi's kinds as the release brings them, or without.
type house struct {
	user
	c client.Client
}

// newHouse starts a server that no odi was ever on.
func newHouse(t *testing.T) house {
	t.Helper()
	restConfig := testkit.EmptyAPIServer(t)
	h := house{user: user{t}, c: testkit.Client(t, restConfig)}
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))
	if found := h.kinds(); len(found) > 0 {
		t.Fatalf("the server has %d kinds already", len(found))
	}
	testkit.Namespace(t, h.c, "shop")
	return h
}

func (h house) kinds() []metav1.PartialObjectMetadata {
	h.t.Helper()
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := h.c.List(h.t.Context(), list); err != nil {
		h.t.Fatal(err)
	}
	return list.Items
}

// wish writes what a user would: a config, and Destinations in odi's namespace and in another.
func (h house) wish() {
	h.t.Helper()
	for _, namespace := range []string{"odi-system", "shop"} {
		testkit.Eventually(h.t, time.Minute, "the kinds are served", func() bool {
			_, _, code := h.types("destination add jaeger --endpoint http://jaeger:4317 -n " + namespace)
			return code == 0
		})
	}
	h.sees("instrument namespace shop", 0, "")
}

// wantWishes fails unless everything that wish wrote is there.
func (h house) wantWishes(after string) {
	h.t.Helper()
	var configs odiv1.InstrumentationConfigList
	var destinations odiv1.DestinationList
	for _, list := range []client.ObjectList{&configs, &destinations} {
		if err := h.c.List(h.t.Context(), list); err != nil {
			h.t.Fatalf("after %s: %v", after, err)
		}
	}
	if len(configs.Items) != 1 || len(destinations.Items) != 2 || len(h.kinds()) != 4 {
		h.t.Fatalf("after %s there are %d configs, %d destinations and %d kinds; want 1, 2 and 4",
			after, len(configs.Items), len(destinations.Items), len(h.kinds()))
	}
}

// helm is Helm's own way to a namespace.
func (h house) helm(namespace string) *action.Configuration {
	h.t.Helper()
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	if err := config.Init(genericclioptions.NewConfigFlags(true), namespace, "secret"); err != nil {
		h.t.Fatal(err)
	}
	return config
}

// rewrite changes the newest revision of the release.
func (h house) rewrite(change func(*releasev1.Release)) {
	h.t.Helper()
	releases := h.helm("odi-system").Releases
	last, err := releases.Last("odi")
	if err != nil {
		h.t.Fatal(err)
	}
	change(last.(*releasev1.Release))
	if err := releases.Update(last); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) status() common.Status {
	h.t.Helper()
	last, err := h.helm("odi-system").Releases.Last("odi")
	if err != nil {
		h.t.Fatal(err)
	}
	return last.(*releasev1.Release).Info.Status
}

const install = "install --wait=false"

// TestUninstallTakesOnlyWhatWasMeant: neither a wrong namespace nor Helm takes what users wrote.
func TestUninstallTakesOnlyWhatWasMeant(t *testing.T) {
	h := newHouse(t)
	h.sees("uninstall --yes", 0, "^odi is not installed in this cluster; nothing is left in the cluster\n$")
	h.sees(install, 0, "odi is being installed in odi-system")
	h.wish()

	for _, wrong := range []string{"shop", "nowhere"} {
		for _, more := range []string{"", " --yes", " --yes --include-crds"} {
			h.sees("uninstall -n "+wrong+more, 2,
				"^odi: odi is not installed in "+wrong+" but in odi-system; to remove it: odi uninstall --namespace odi-system\n$", "y", "y")
			h.wantWishes("odi uninstall -n " + wrong + more)
		}
	}
	h.sees("upgrade --wait=false -n shop", 2, "^odi: odi is not installed in shop but in odi-system; to upgrade it: odi upgrade --namespace odi-system\n$")
	h.sees("uninstall", 2, "in a script say: odi uninstall --yes")
	h.sees("uninstall", 1, `removes odi \d\S* from odi-system: its components on 0 nodes; 0 workloads .*\(context "test"\).*nothing was removed`, "n")
	h.sees("uninstall --include-crds", 1,
		"odi's 4 kinds, and with them 1 InstrumentationConfig, 2 Destinations and 0 Secrets with their credentials, in 2 namespaces.*nothing was removed", "n")
	h.wantWishes("saying no")

	h.sees("upgrade --wait=false --set crds.install=false", 0, "")
	h.wantWishes("an upgrade without the kinds")
	h.sees("upgrade --wait=false --set crds.install=true", 0, "")
	uninstall := action.NewUninstall(h.helm("odi-system"))
	uninstall.WaitStrategy = kube.HookOnlyStrategy
	if _, err := uninstall.Run("odi"); err != nil {
		t.Fatal(err)
	}
	h.wantWishes("helm uninstall")

	h.sees(install, 0, "")
	h.sees("uninstall", 0, "odi is uninstalled\nleft: odi's 4 kinds.*odi uninstall --include-crds --namespace odi-system\nleft: the namespace odi-system", "y", "n")
	h.wantWishes("odi uninstall")

	// The kinds go to the next odi, wherever it is.
	testkit.Namespace(t, h.c, "other")
	h.sees(install+" -n other", 0, "")
	h.wantWishes("an installation elsewhere")
	h.sees("uninstall --yes --include-crds -n other", 0, "odi is uninstalled; nothing is left in the cluster\n")
	if left := h.kinds(); len(left) > 0 {
		t.Errorf("%d kinds are left", len(left))
	}
	var house corev1.Namespace
	if err := h.c.Get(t.Context(), client.ObjectKey{Name: "other"}, &house); err != nil || house.DeletionTimestamp != nil {
		t.Errorf("a namespace that odi did not make: %v, %v", house.DeletionTimestamp, err)
	}
}

// TestUninstallKnowsItsOwnOdi: what was not installed by odi's release is not for odi uninstall to remove.
func TestUninstallKnowsItsOwnOdi(t *testing.T) {
	h := newHouse(t)
	h.sees(install, 0, "")
	h.wish()
	manager := deployment("shop", "odi-manager")
	manager.Labels = map[string]string{"app.kubernetes.io/part-of": "odi", "app.kubernetes.io/component": "manager"}
	testkit.Create(t, h.c, manager)
	h.sees("uninstall --yes -n shop", 2, "the odi in shop was applied from manifests; to remove it, delete them: odi install --dry-run .*kubectl delete")
	manager.Annotations = map[string]string{"meta.helm.sh/release-name": "mine"}
	if err := h.c.Update(t.Context(), manager); err != nil {
		t.Fatal(err)
	}
	h.sees("uninstall --yes -n shop", 2, "is the Helm release mine; to remove it: helm uninstall mine --namespace shop")
	h.sees("uninstall --yes --include-crds -n odi-system", 2, "another odi, in shop, needs the kinds of this one")
	h.wantWishes("refusals")
	// Without the kinds this one can go, and the other's objects stay.
	h.sees("uninstall --yes -n odi-system", 0, "odi is uninstalled")
	h.wantWishes("the end of one of two")
}

// TestWhatWasCutOffIsContinued: a process that died leaves the release as it was.
func TestWhatWasCutOffIsContinued(t *testing.T) {
	h := newHouse(t)
	h.sees(install+" --set manager.replicas=2", 0, "")
	cut := func(status common.Status, age time.Duration) {
		h.rewrite(func(r *releasev1.Release) {
			r.Info.Status, r.Info.LastDeployed, r.Info.Deleted = status, time.Now().Add(-age), time.Now().Add(-age)
		})
	}
	for status, tc := range map[common.Status]struct{ what, command string }{
		common.StatusPendingInstall:  {"installation", install},
		common.StatusPendingUpgrade:  {"upgrade", "upgrade --wait=false"},
		common.StatusPendingRollback: {"rollback", install},
		common.StatusUninstalling:    {"removal", install},
	} {
		t.Run(string(status), func(t *testing.T) {
			cut(status, time.Minute)
			h.sees(tc.command, 1, "another "+tc.what+" of odi runs since .*; wait for it. If it was cut off, .* continues it from ")
			cut(status, 11*time.Minute)
			h.sees(tc.command, 0, "the "+tc.what+" of odi that began at .* was cut off; .* continues it")
			if got := h.status(); got != common.StatusDeployed {
				t.Errorf("the release is %s", got)
			}
		})
	}

	t.Run("its values are continued, too", func(t *testing.T) {
		h.sees("upgrade --wait=false --set manager.replicas=3", 0, "")
		cut(common.StatusPendingInstall, time.Hour)
		h.sees("upgrade --wait=false --set manager.logLevel=debug", 0, "continues it")
		last, err := h.helm("odi-system").Releases.Last("odi")
		if err != nil {
			t.Fatal(err)
		}
		manager, _ := last.(*releasev1.Release).Config["manager"].(map[string]any)
		if manager["replicas"] == nil || manager["logLevel"] != "debug" {
			t.Errorf("the values are %v", last.(*releasev1.Release).Config)
		}
	})
	t.Run("of an odi that died it is known at once", func(t *testing.T) {
		cut(common.StatusPendingUpgrade, time.Second)
		died := "odi upgrade of ann on laptop (pid 42)"
		testkit.Create(t, h.c, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-release"}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &died},
		})
		h.sees(install, 0, "was cut off; odi install continues it")
		var leases coordinationv1.LeaseList
		if err := h.c.List(t.Context(), &leases, client.InNamespace("odi-system")); err != nil || len(leases.Items) > 0 {
			t.Errorf("%d leases are left (%v)", len(leases.Items), err)
		}
	})
	t.Run("something else by the name of odi is left alone", func(*testing.T) {
		h.rewrite(func(r *releasev1.Release) { r.Chart.Metadata.Name = "oditorium" })
		h.sees(install, 1, "the Helm release odi in odi-system is of the chart oditorium: it has nothing to do with odi")
		h.sees("uninstall --yes", 1, "it has nothing to do with odi")
	})
}

// TestAnOlderOdiDoesNotTakeTheClusterBack: neither the release nor the kinds.
func TestAnOlderOdiDoesNotTakeTheClusterBack(t *testing.T) {
	h := newHouse(t)
	testkit.Namespace(t, h.c, "odi-system") // nobody would finish deleting one that odi made
	h.sees(install, 0, "")
	refused := "^odi: the cluster has odi 9.0.0, and this program is older: .*; use odi 9.0.0 or newer.*--force-downgrade"
	version := func(of string) { h.rewrite(func(r *releasev1.Release) { r.Chart.Metadata.AppVersion = of }) }
	version("9.0.0")
	h.sees(install, 2, refused)
	h.sees("upgrade --wait=false", 2, refused)
	h.sees("upgrade --wait=false --force-downgrade", 0, "taking odi back from 9.0.0 to ")
	version("dev")
	h.sees("upgrade --wait=false", 0, `whether .* is newer than the odi in the cluster \(dev\) cannot be told; going on`)

	// The kinds outlive the release.
	h.sees("uninstall --yes", 0, "")
	for _, crd := range h.kinds() {
		before := crd.DeepCopy()
		crd.Labels["app.kubernetes.io/version"] = "9.0.0"
		if err := h.c.Patch(t.Context(), &crd, client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Namespace(t, h.c, "other")
	h.sees(install+" -n other", 2, refused)
	h.sees(install+" -n other --set crds.install=false", 0, "")
	for _, crd := range h.kinds() {
		if !strings.HasPrefix(crd.Labels["app.kubernetes.io/version"], "9.") {
			t.Errorf("%s is of version %s", crd.Name, crd.Labels["app.kubernetes.io/version"])
		}
	}
}
