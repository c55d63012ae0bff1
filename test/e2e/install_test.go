//go:build e2e

package e2e

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/kube"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/hack/demo/stage"
)

// choices is what a user of kubectl applies instead of running the CLI.
const choices = `
apiVersion: odi.dev/v1alpha1
kind: Destination
metadata:
  name: jaeger
  namespace: odi-system
spec:
  type: jaeger
  config:
    endpoint: http://jaeger.observability:4317
---
apiVersion: odi.dev/v1alpha1
kind: InstrumentationConfig
metadata:
  name: everything
  namespace: shop
`

// systemNamespace is where odi goes when it is installed without the CLI.
const systemNamespace = `
apiVersion: v1
kind: Namespace
metadata:
  name: odi-system
`

// helm connects Helm's library to the cluster, as the helm command does.
func (w *world) helm(t *testing.T) *action.Configuration {
	t.Helper()
	settings := cli.New()
	settings.KubeConfig = w.cluster.Kubeconfig
	settings.SetNamespace("odi-system")
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	if err := config.Init(settings.RESTClientGetter(), "odi-system", "secret"); err != nil {
		t.Fatal(err)
	}
	return config
}

// installByHelm is `helm install odi charts/odi -n odi-system --create-namespace --wait`
// and kubectl apply.
func (w *world) installByHelm(t *testing.T) {
	chart, err := loader.Load(filepath.Join(w.root, "charts", "odi"))
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(w.helm(t))
	install.ReleaseName, install.Namespace, install.CreateNamespace = "odi", "odi-system", true
	install.WaitStrategy, install.Timeout = kube.StatusWatcherStrategy, 2*time.Minute
	if _, err := install.RunWithContext(t.Context(), chart, w.cluster.Images.InstallValues()); err != nil {
		t.Fatalf("helm install: %v\n%s", err, w.cluster.Diagnose(t.Context(), "odi-system"))
	}
	w.applyChoices(t)
}

func (w *world) applyChoices(t *testing.T) {
	t.Helper()
	if err := w.cluster.WaitReady(t.Context(), "odi-system", 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := w.cluster.Apply(t.Context(), []byte(choices)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) uninstallByHelm(t *testing.T) {
	w.deleteChoices(t)
	uninstall := action.NewUninstall(w.helm(t))
	uninstall.WaitStrategy, uninstall.Timeout = kube.StatusWatcherStrategy, time.Minute
	if _, err := uninstall.Run("odi"); err != nil {
		t.Fatalf("helm uninstall: %v", err)
	}
	w.deleteKinds(t)
	w.deleteSystemNamespace(t)
}

// installByApply is `kubectl apply` of what `odi install --dry-run` prints, as GitOps tools do.
func (w *world) installByApply(t *testing.T) {
	manifests := w.manifests(t)
	// Once more: kinds that the first round defines may not be known yet within it.
	err := w.cluster.Apply(t.Context(), manifests)
	if err == nil || stage.IsUnknownKind(err) {
		time.Sleep(time.Second)
		err = w.cluster.Apply(t.Context(), manifests)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.applyChoices(t)
}

func (w *world) uninstallByApply(t *testing.T) {
	w.deleteChoices(t)
	if err := w.cluster.Delete(t.Context(), w.manifests(t)); err != nil {
		t.Fatal(err)
	}
	w.deleteSystemNamespace(t)
}

// deleteKinds is `kubectl delete crd -l app.kubernetes.io/part-of=odi`: Helm leaves them, and what users wrote with them.
func (w *world) deleteKinds(t *testing.T) {
	t.Helper()
	kinds := &metav1.PartialObjectMetadataList{}
	kinds.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := w.cluster.List(t.Context(), kinds, client.MatchingLabels{"app.kubernetes.io/part-of": "odi"}); err != nil {
		t.Fatal(err)
	}
	if len(kinds.Items) != 4 {
		t.Errorf("helm uninstall left %d kinds, want all 4", len(kinds.Items))
	}
	for _, kind := range kinds.Items {
		manifest := "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: " + kind.Name + "}}"
		if err := w.cluster.Delete(t.Context(), []byte(manifest)); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) manifests(t *testing.T) []byte {
	t.Helper()
	text := w.odi(t, append([]string{"install", "--dry-run"}, w.cluster.Images.InstallFlags()...)...).stdout
	if !strings.Contains(text, "kind: DaemonSet") {
		t.Fatalf("odi install --dry-run prints no DaemonSet:\n%s", text)
	}
	return []byte(text)
}

func (w *world) deleteChoices(t *testing.T) {
	t.Helper()
	if err := w.cluster.Delete(t.Context(), []byte(choices)); err != nil {
		t.Fatal(err)
	}
}

// deleteSystemNamespace is the user's part: neither helm nor kubectl delete it with the rest.
func (w *world) deleteSystemNamespace(t *testing.T) {
	t.Helper()
	if err := w.cluster.Delete(t.Context(), []byte(systemNamespace)); err != nil {
		t.Fatal(err)
	}
}
