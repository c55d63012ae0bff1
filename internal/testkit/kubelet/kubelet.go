// Package kubelet stands in for a node's kubelet where a test has an API server
// alone: programs that somebody starts in a pod (kubectl exec) run as processes of
// the test, and what they print goes the whole way back through the API server.
package kubelet

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// Node is a node that runs programs in its pods' names.
type Node struct{ Name string }

// New makes a node whose kubelet runs each program with env. The API server has to be one of
// the same test's (testkit.APIServer): its certificate, which is good for loopback, is this kubelet's too.
func New(t testing.TB, c client.Client, env ...string) Node {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(t, w, r, env) }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}
	if err := c.Create(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(server.Listener.Addr().(*net.TCPAddr).Port)
	if err := c.Status().Update(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	return Node{Name: node.Name}
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(t.TempDir()), "*", "apiserver", "keys", "kube-apiserver.crt"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the API server of this test has the certificates %v (%v), want one", found, err)
	}
	pair, err := tls.LoadX509KeyPair(found[0], found[0][:len(found[0])-len("crt")]+"key")
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// protocol is that of the channels of exec, as of Kubernetes 1.4.
const protocol = "v4.channel.k8s.io"

// serve runs what is asked for, and says how it ended.
func serve(t testing.TB, w http.ResponseWriter, r *http.Request, env []string) {
	if _, err := httpstream.Handshake(r, w, []string{protocol}); err != nil {
		t.Logf("kubelet: %v", err)
		return
	}
	streams := make(chan httpstream.Stream, 3)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if connection == nil {
		return // It has answered with the reason.
	}
	defer func() { _ = connection.Close() }() // All is said by then.
	kinds := map[string]io.WriteCloser{}
	for range 3 { // The errors, stdout and stderr: odi gives no stdin.
		select {
		case s := <-streams:
			kinds[s.Headers().Get(corev1.StreamType)] = s
		case <-time.After(10 * time.Second):
			t.Logf("kubelet: of the streams only %d came", len(kinds))
			return
		}
	}
	command := r.URL.Query()["command"]
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := program.CommandContext(ctx, t, command[0], command[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, kinds[corev1.StreamTypeStdout], kinds[corev1.StreamTypeStderr]
	report(kinds[corev1.StreamTypeError], cmd.Run())
	for _, s := range kinds {
		_ = s.Close() // Whoever reads sees the end.
	}
}

// report says how a program ended, as a kubelet does.
func report(to io.Writer, err error) {
	status := metav1.Status{Status: metav1.StatusSuccess}
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		status = metav1.Status{Status: metav1.StatusFailure, Reason: "NonZeroExitCode", Message: err.Error(), Details: &metav1.StatusDetails{
			Causes: []metav1.StatusCause{{Type: "ExitCode", Message: ended.String()[len("exit status "):]}},
		}}
	case err != nil:
		status = metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonInternalError, Message: err.Error()}
	}
	_ = json.NewEncoder(to).Encode(status) // Whoever left does not hear it.
}
