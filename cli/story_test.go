package cli_test

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/odi-dev/odi/cli"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/testkit"
)

// user types commands and reads answers.
type user struct {
	t *testing.T
}

// types runs one command line; answers of a person are its stdin.
func (u user) types(line string, stdin ...string) (out, err string, code int) {
	u.t.Helper()
	return u.typesUntil(u.t.Context(), line, stdin...)
}

// typesUntil is interrupted when the context ends. It may run beside the test.
func (u user) typesUntil(ctx context.Context, line string, stdin ...string) (out, err string, code int) {
	var stdout, stderr bytes.Buffer
	io := streams.Streams{In: strings.NewReader(strings.Join(stdin, "\n") + "\n"), Out: &stdout, Err: &stderr, InTerminal: len(stdin) > 0}
	code = cli.Run(ctx, io, strings.Fields(line))
	return stdout.String(), stderr.String(), code
}

// sees fails unless the command ends with the code and says what matches the pattern.
func (u user) sees(line string, wantCode int, want string, stdin ...string) {
	u.t.Helper()
	out, err, code := u.types(line, stdin...)
	if code != wantCode || !regexp.MustCompile("(?s)"+want).MatchString(out+err) {
		u.t.Fatalf("odi %s\nended with %d, want %d, and\n%s%s\nwant a match of %s", line, code, wantCode, out, err, want)
	}
}

// TestStory is a user's first day, on a real API server without any controller.
func TestStory(t *testing.T) {
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, ""))
	testkit.Namespace(t, c, "shop")
	testkit.Create(t, c, deployment("shop", "cart"))
	u := user{t}

	u.sees("status", 1, "^odi: odi is not installed in this cluster, only its kinds are; to install it: odi install\n$")

	// Misspelt names are answered with those that exist.
	u.sees("instrument namespace shpo", 2, "^odi: there is no namespace shpo; there are: .*shop")
	u.sees("instrument namespace kube-system", 2, "odi never instruments the namespace kube-system")
	u.sees("instrument deployment crat -n shop", 2, "there is no deployment shop/crat; there are: cart")
	u.sees("instrument deployment cart -n default", 2, "there is no deployment default/cart; there is one with -n shop")
	u.sees("destination add debug --name Bad_Name --export", 2, "--name Bad_Name: a lowercase RFC 1123 subdomain")
	u.sees("instrument cronjob x -n shop", 2, "the namespace shop has no CronJob at all")
	u.sees("describe deployment/crat -n shop", 2, "there are: cart")

	// The wish is written once; the other configs of the namespace stay.
	u.sees("instrument namespace shop", 0, "namespace shop: InstrumentationConfig shop/namespace created.*No destination yet")
	u.sees("instrument namespace shop", 0, "InstrumentationConfig shop/namespace unchanged")
	u.sees("instrument namespace shop --method eBPF", 0, "InstrumentationConfig shop/namespace changed")
	u.sees("uninstrument deployment crat -n shop", 2, "there is no deployment shop/crat; there are: cart")
	u.sees("uninstrument deployment cart -n shop", 0, "InstrumentationConfig shop/deployment-cart has method None")
	u.sees("uninstrument deployment cart -n shop", 0, "InstrumentationConfig deployment-cart has switched it off already")
	u.sees("uninstrument namespace shop", 0, "InstrumentationConfig shop/namespace deleted.*")
	u.sees("uninstrument deployment cart -n shop", 0, "InstrumentationConfig shop/deployment-cart deleted")
	u.sees("uninstrument deployment cart -n shop", 0, "nothing instruments it")
	u.sees("describe deployment/cart -n shop", 3, "Why is there no trace\\? The manager does not work: does not exist yet; to see more: kubectl")

	// What is part of another workload, or over, is none of its own; another controller's has no command but its namespace's.
	made := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart-5d9"}, Spec: appsv1.ReplicaSetSpec{
		Selector: deployment("shop", "cart").Spec.Selector, Template: deployment("shop", "cart").Spec.Template}}
	made.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "cart", UID: "u", Controller: new(true)}}
	lone := made.DeepCopy()
	lone.Name, lone.OwnerReferences = "lone", nil
	rollout := made.DeepCopy()
	rollout.Name, rollout.OwnerReferences[0].APIVersion, rollout.OwnerReferences[0].Kind = "web-6c5", "argoproj.io/v1alpha1", "Rollout"
	testkit.Create(t, c, made, lone, rollout)
	u.sees("describe replicaset/cart-5d9 -n shop", 2, "the replicaset shop/cart-5d9 is part of another workload: deployment/cart -n shop")
	u.sees("instrument replicaset cart-5d9 -n shop", 2, "is part of another workload: deployment/cart")
	u.sees("instrument replicaset x -n shop", 2, "there is no replicaset shop/x; there are: lone\n")
	u.sees("describe rollout.argoproj.io/cart -n shop", 3, "^rollout.argoproj.io shop/cart")
	u.sees("describe rollout.argoproj.io/x -n shop", 2, "there is no rollout.argoproj.io shop/x that has pods or ReplicaSets")

	u.sees("instrument rollout.argoproj.io/cart -n shop -o yaml", 0, "(?m)^    kind: Rollout.argoproj.io$")
	u.sees("uninstrument rollout.argoproj.io cart -n shop", 0, "InstrumentationConfig shop/rollout.argoproj.io-cart deleted")

	// Destinations: a person is asked, a script is told.
	testkit.Namespace(t, c, "odi-system")
	u.sees("destination list", 0, "No destination yet")
	u.sees("destination add jaeger", 0, "destination odi-system/jaeger added.*Endpoint: .*is not valid.*Endpoint: ", "jaeger", "http://jaeger:4317")
	u.sees("destination add jaeger --endpoint http://jaeger:4317", 0, "destination odi-system/jaeger unchanged")
	u.sees("destination add jaeger --endpoint http://other:4317", 2, "there is a destination odi-system/jaeger already; give this one another name with --name, or change that one with --replace")
	u.sees("destination add jaeger --endpoint http://other:4317 --replace", 0, "destination odi-system/jaeger changed")
	t.Setenv("TOKEN", "s3cret")
	u.sees("destination add jaeger --name second --endpoint https://j:4317 --from-env token=TOKEN", 0, "destination odi-system/second added")
	u.sees("destination add jaeger --name second --endpoint https://j:4317 --from-env token=TOKEN", 0, "unchanged")
	u.sees("destination add otlp --name second --endpoint https://j:4317 --replace", 2, "is of type jaeger, which cannot be changed")
	u.sees("destination list", 0, "odi-system +jaeger +jaeger +Unknown +Unknown +0 +0 +0 .*odi-system +second +jaeger")
	u.sees("destination list -o json", 0, `"kind": "Destination"`)
	u.sees("describe destination/second", 0, "secret fields: in the Secret second-destination.*Why is there no trace\\?.*has not looked at it yet")
	u.sees("describe destination/third", 2, "there are: odi-system/jaeger, odi-system/second")
	u.sees("destination remove third", 2, "there are: jaeger, second")
	u.sees("destination remove jaeger -n shop", 2, "there is one with -n odi-system")
	if out, err, _ := u.types("describe destination/second -o yaml"); strings.Contains(out+err, "s3cret") {
		t.Error("a secret is shown")
	}
	u.sees("destination remove second", 0, "destination odi-system/second removed")
	var secrets corev1.SecretList
	if err := c.List(t.Context(), &secrets); err != nil || len(secrets.Items) > 0 {
		t.Errorf("%d secrets are left (%v)", len(secrets.Items), err)
	}

	// Completion knows what is there.
	u.sees("__complete instrument deployment -n shop c", 0, "^cart\n")
	u.sees("__complete describe destination/j", 0, "^destination/jaeger\n")
	u.sees("__complete uninstrument -n shop deploy/c", 0, "^deploy/cart\n")
	u.sees("__complete describe ns s", 0, "^shop\n")
	u.sees("__complete status -n kube-s", 0, "^kube-system\n")

	// Whoever may not do it learns which right is missing and how to check.
	t.Setenv("KUBECONFIG", kubeconfig(t, restConfig, "ann"))
	u.sees("destination list", 1, `^odi: no permission \(context "test"\): ann may not list destinations.odi.dev in the whole cluster; to check: kubectl auth can-i list destinations.odi.dev --all-namespaces\n$`)
	u.sees("instrument namespace shop", 1, "ann may not get instrumentationconfigs.odi.dev in the namespace shop; to check: kubectl auth can-i get instrumentationconfigs.odi.dev --namespace shop")
}

func deployment(namespace, name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: name, Image: "example.test/" + name}}},
			},
		},
	}
}

// kubeconfig writes the way to the server as a file; as is a user to act as.
func kubeconfig(t *testing.T, c *rest.Config, as string) string {
	t.Helper()
	config := clientcmdapi.Config{
		CurrentContext: "test",
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: "test"}},
		Clusters: map[string]*clientcmdapi.Cluster{"test": {
			Server: c.Host, CertificateAuthority: c.CAFile, CertificateAuthorityData: c.CAData, InsecureSkipTLSVerify: c.Insecure,
		}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"test": {
			ClientCertificate: c.CertFile, ClientCertificateData: c.CertData, ClientKey: c.KeyFile, ClientKeyData: c.KeyData,
			Token: c.BearerToken, Impersonate: as,
		}},
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(config, path); err != nil {
		t.Fatal(err)
	}
	return path
}
