package testkit

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	odiconfig "github.com/odi-dev/odi/config"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// kubeconfigVariable names a cluster to test on instead of a server of the test's own.
const kubeconfigVariable = "ODI_TEST_KUBECONFIG"

// APIServer returns the way to an API server that has odi's kinds and that no
// other test uses. It is up within seconds and goes with the test. The programs
// are built first where no test ever ran, which takes minutes.
func APIServer(t testing.TB) *rest.Config {
	t.Helper()
	restConfig := EmptyAPIServer(t)
	installKinds(t, restConfig)
	return restConfig
}

// EmptyAPIServer is [APIServer] without odi's CRDs, as a cluster that no odi was ever on.
// (Installing them and deleting them again is not the same: a CRD that is deleted before anybody
// used its kind can stay Terminating until the server's next resync, 5 minutes later, seen with
// Kubernetes 1.36: its finalizer fails with "storage is (re)initializing" and then waits for an event.)
func EmptyAPIServer(t testing.TB) *rest.Config {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out tests on an API server")
	}
	path := os.Getenv(kubeconfigVariable)
	if path == "" {
		path = startAPIServer(t)
	}
	restConfig, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	restConfig.QPS = -1 // The server's own fairness is the limit, as for the manager.
	return restConfig
}

// startAPIServer runs the local cluster's tool, so that tests and developers have one way to a server.
func startAPIServer(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "apiserver")
	cluster := func(ctx context.Context, command string) string {
		cmd := program.CommandContext(ctx, t, "go", "run", "./hack/cluster", "apiserver", command, "--dir", dir)
		cmd.Dir = root(t)
		var out, problems bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &problems
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, problems.String())
		}
		return strings.TrimSpace(out.String())
	}
	path := cluster(t.Context(), "up")
	t.Cleanup(func() { cluster(context.Background(), "down") }) // t's own context is over by then.
	return path
}

// root is the folder of the module.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}

// installKinds gives the server odi's CRDs and waits until it serves them.
func installKinds(t testing.TB, restConfig *rest.Config) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatalf("connecting to the API server: %v", err)
	}
	files, err := fs.Glob(odiconfig.CRDs, "crd/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions in config/crd: %v", err)
	}
	for _, file := range files {
		content, err := fs.ReadFile(odiconfig.CRDs, file)
		if err != nil {
			t.Fatal(err)
		}
		crd := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(content, crd); err != nil {
			t.Fatalf("reading %s: %v", file, err)
		}
		apply := client.ApplyConfigurationFromUnstructured(crd)
		if err := c.Apply(t.Context(), apply, client.FieldOwner("odi/testkit"), client.ForceOwnership); err != nil {
			t.Fatalf("installing %s: %v", file, err)
		}
		Eventually(t, 30*time.Second, crd.GetName()+" is served", func() bool { return served(t, c, crd.GetName()) })
	}
}

func served(t testing.TB, c client.Client, name string) bool {
	var crd apiextensionsv1.CustomResourceDefinition
	if err := c.Get(t.Context(), client.ObjectKey{Name: name}, &crd); err != nil {
		return false
	}
	for _, condition := range crd.Status.Conditions {
		if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
			return true
		}
	}
	return false
}
