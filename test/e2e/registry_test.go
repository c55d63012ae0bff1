//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/hack/cluster/layout"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/images/oci"
)

// What the registry wants to hear.
const registryUser, registryPassword = "shop", "sesame"

// checkOwnRegistry takes the agent of the ratings from a registry of the user's own, which wants a password: without
// one the canary is taken back and eBPF serves, with one the agent works.
func (w *world) checkOwnRegistry(t *testing.T) {
	if w.foreign {
		t.Skip("the nodes of the cluster of KUBECONFIG cannot reach a registry of the test's")
	}
	images := w.serveRegistry(t, "first", "second")
	ask := func(image string) {
		w.odi(t, "instrument", "deployment", "ratings", "-n", shop.Namespace, "--method", "agent", "--rollout", "auto", "--agent", "python="+image)
	}
	ask(images["first"])
	w.expectRollout(t, "ratings", odiv1.PhaseRolledBack, "AgentImagePullFailed")
	w.expectAgents(t, "ratings", "")

	w.givePullSecret(t, strings.SplitN(images["second"], "/", 2)[0])
	ask(images["second"])
	w.expectRollout(t, "ratings", odiv1.PhaseDone, "AgentImagePullFailed") // Which is remembered of the first.
	w.expectAgents(t, "ratings", "ratings=python@second")
	w.waitAnswers(t, shop.PagePath)
	containers := w.workloadOf(t, "ratings").Status.Containers
	if len(containers) != 1 || containers[0].Agent.State != odiv1.AgentAlive {
		t.Errorf("the containers of the ratings are %+v, want one whose agent is alive", containers)
	}
}

// serveRegistry serves odi's agent for Python under other tags, at the node's own loopback address, where containerd
// wants no TLS. It returns the images by tag.
func (w *world) serveRegistry(t *testing.T, tags ...string) map[string]string {
	t.Helper()
	registry := oci.Registry()
	push := httptest.NewServer(registry) // For the test itself, which is not on the node.
	t.Cleanup(push.Close)
	node, err := layout.New(storyCluster, storySlot, "")
	if err != nil {
		t.Fatal(err)
	}
	listener := listenIn(t, "/run/netns/"+node.Netns())
	pull := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != registryUser || password != registryPassword {
			rw.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			http.Error(rw, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		registry.ServeHTTP(rw, r)
	})}
	go func() { _ = pull.Serve(listener) }() // Until it is closed.
	t.Cleanup(func() { _ = pull.Close() })

	built, err := stage.Run(t.Context(), stage.Command{Dir: w.root, Args: []string{filepath.Join(w.root, "hack", "run.sh"), "images", "build", "odi-agent-python"}})
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]string{}
	for _, tag := range tags {
		if err := oci.Push(t.Context(), strings.TrimSpace(built), push.URL+"/own/python:"+tag); err != nil {
			t.Fatal(err)
		}
		images[tag] = fmt.Sprintf("localhost:%d/own/python:%s", listener.Addr().(*net.TCPAddr).Port, tag)
	}
	return images
}

// listenIn listens on loopback in another network namespace: a socket is of the one that its thread was in.
func listenIn(t *testing.T, netns string) net.Listener {
	t.Helper()
	type result struct {
		net.Listener
		error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // Never unlocked: the thread ends with the goroutine, and does not come back changed.
		file, err := os.Open(netns)
		if err == nil {
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
			file.Close()
		}
		if err != nil {
			done <- result{nil, err}
			return
		}
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		done <- result{listener, err}
	}()
	r := <-done
	if r.error != nil {
		t.Fatalf("listening in %s: %v", netns, r.error)
	}
	return r.Listener
}

// givePullSecret gives the pods of the shop's service account what the registry wants to hear, until the test ends.
func (w *world) givePullSecret(t *testing.T, host string) {
	t.Helper()
	login := base64.StdEncoding.EncodeToString([]byte(registryUser + ":" + registryPassword))
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: shop.Namespace, Name: "own-registry"}, Type: corev1.SecretTypeDockerConfigJson,
		StringData: map[string]string{corev1.DockerConfigJsonKey: fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, login)},
	}
	if err := w.cluster.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: shop.Namespace, Name: "default"}}
	patch := func(ctx context.Context, secrets string) error {
		return w.cluster.Patch(ctx, account, client.RawPatch("application/merge-patch+json", []byte(`{"imagePullSecrets":`+secrets+`}`)))
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := errors.Join(patch(ctx, "null"), w.cluster.Client.Delete(ctx, secret)); err != nil {
			t.Error(err)
		}
	})
	if err := patch(t.Context(), `[{"name":"own-registry"}]`); err != nil {
		t.Fatal(err)
	}
}

// workloadOf is what odi decided for a service, and what became of it.
func (w *world) workloadOf(t *testing.T, service string) odiv1.InstrumentedWorkload {
	t.Helper()
	var iw odiv1.InstrumentedWorkload
	if err := w.cluster.Get(t.Context(), client.ObjectKey{Namespace: shop.Namespace, Name: "deployment-" + service}, &iw); err != nil {
		t.Fatal(err)
	}
	return iw
}
