package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// nameLabel is gatewayName on the gateway's pods, container the one of the collector.
const (
	nameLabel   = "app.kubernetes.io/name"
	gatewayName = "odi-gateway"
	container   = "collector"
)

// errNoGateway says that nothing could be asked.
var errNoGateway = errors.New("no pod of the gateway is ready; to see why: odi status")

// ErrNoRight says that the asker may not ask.
var ErrNoRight = errors.New("no permission")

// largestAnswer is far above what three answers take.
const largestAnswer = 1 << 20

// gateway is a pod of it, and the way there.
type gateway struct {
	config *rest.Config
	pod    corev1.Pod
}

// gateway is a pod of it that is ready, if the asker may start a program in it.
func (c Cluster) gateway(ctx context.Context) (gateway, error) {
	if err := c.mayExec(ctx); err != nil {
		return gateway{}, err
	}
	var pods corev1.PodList
	err := c.Client.List(ctx, &pods, client.InNamespace(c.Namespace), client.MatchingLabels{nameLabel: gatewayName})
	if err != nil {
		return gateway{}, fmt.Errorf("listing the gateway's pods: %w", err)
	}
	for _, pod := range pods.Items {
		if ready(&pod) {
			return gateway{config: c.Config, pod: pod}, nil
		}
	}
	return gateway{}, errNoGateway
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

// mayExec asks first: what the API server says to who may not is lost on the way.
func (c Cluster) mayExec(ctx context.Context) error {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: c.Namespace, Verb: "create", Resource: "pods", Subresource: "exec"},
	}}
	if err := c.Client.Create(ctx, review); err != nil {
		return fmt.Errorf("asking whether a program may be started in the gateway: %w", err)
	}
	if review.Status.Allowed {
		return nil
	}
	return fmt.Errorf("%w to start a program in the gateway's pod; to check: kubectl auth can-i create pods --subresource=exec --namespace %s", ErrNoRight, c.Namespace)
}

// ask runs `odi-collector ask` beside the gateway, on the gateway's own configuration.
func (g gateway) ask(ctx context.Context, destination string) ([]byte, error) {
	command := g.command(destination)
	if command == nil {
		return nil, fmt.Errorf("pod %s has no container %s", g.pod.Name, container)
	}
	var out, problems bytes.Buffer
	err := g.run(ctx, command, limited{&out}, limited{&problems})
	var code exec.CodeExitError
	if errors.As(err, &code) {
		return nil, complaint(problems.String())
	}
	if err != nil {
		return nil, fmt.Errorf("asking in pod %s: %w", g.pod.Name, err)
	}
	return out.Bytes(), nil
}

// command is what the container runs, with ask before its arguments.
func (g gateway) command(destination string) []string {
	for _, c := range g.pod.Spec.Containers {
		if c.Name == container && len(c.Command) > 0 {
			command := append([]string{c.Command[0], "ask"}, c.Args...)
			return append(command, "--destination="+destination)
		}
	}
	return nil
}

// errOld is of a gateway that does not know the question.
var errOld = errors.New("the gateway is of a version that cannot be asked; to bring it up to date: odi upgrade")

// errNotThere is of a gateway whose configuration does not have the destination.
var errNotThere = errors.New("the gateway has not got the destination")

// complaint is what odi-collector wrote where it did not ask.
func complaint(problems string) error {
	_, text, _ := strings.Cut(problems, "Error: ")
	text, _, _ = strings.Cut(text, "\n")
	switch {
	case strings.Contains(text, "unknown command"), strings.Contains(text, "unknown flag: --destination"):
		return errOld
	case strings.Contains(text, "has no such destination"):
		return errNotThere
	case text == "":
		return errors.New("the collector in the gateway's pod ended without a word")
	}
	return fmt.Errorf("the collector in the gateway's pod: %s", text)
}

// run prefers WebSockets, as `kubectl exec` does.
func (g gateway) run(ctx context.Context, command []string, out, problems io.Writer) error {
	clientset, err := kubernetes.NewForConfig(g.config)
	if err != nil {
		return err
	}
	at := clientset.CoreV1().RESTClient().Post().Namespace(g.pod.Namespace).Resource("pods").Name(g.pod.Name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: container, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	websocket, err := remotecommand.NewWebSocketExecutor(g.config, "GET", at.String())
	if err != nil {
		return err
	}
	older, err := remotecommand.NewSPDYExecutor(g.config, "POST", at)
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewFallbackExecutor(websocket, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return err
	}
	return executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: out, Stderr: problems})
}

// limited takes no more than people could want, and drops the rest.
type limited struct{ *bytes.Buffer }

// Write implements io.Writer.
func (l limited) Write(p []byte) (int, error) {
	if room := largestAnswer - l.Len(); room < len(p) {
		_, err := l.Buffer.Write(p[:max(0, room)])
		return len(p), err
	}
	return l.Buffer.Write(p)
}
