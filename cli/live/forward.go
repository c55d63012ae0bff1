package live

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream" //nolint:staticcheck // its successor has other types than client-go returns
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"

	"github.com/odi-dev/odi/internal/nodeapi"
)

// fetch asks the query API of one odiglet.
func fetch(ctx context.Context, config *rest.Config, pod *corev1.Pod, query url.URL) ([]byte, error) {
	return Get(ctx, config, pod, nodeapi.Port, query)
}

// Get asks a port of a pod over HTTP, over a connection such as `kubectl port-forward`
// makes: to the pod's loopback, with the user's own rights. No port is opened here.
func Get(ctx context.Context, config *rest.Config, pod *corev1.Pod, port int, query url.URL) ([]byte, error) {
	connection, err := dialWithin(ctx, config, pod)
	if err != nil {
		return nil, fmt.Errorf("reaching pod %s: %w", pod.Name, err)
	}
	defer connection.Close()
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer stop()
	stream, err := open(connection, port)
	if err != nil {
		return nil, fmt.Errorf("reaching port %d of pod %s: %w", port, pod.Name, err)
	}
	defer stream.Close()
	query.Scheme, query.Host = "http", nodeapi.Host // the pod's loopback, whatever the port
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, query.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("asking pod %s: %w", pod.Name, err)
	}
	request.Close = true
	if err := request.Write(stream); err != nil {
		return nil, fmt.Errorf("asking pod %s: %w", pod.Name, err)
	}
	response, err := http.ReadResponse(bufio.NewReader(stream), request)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of pod %s: %w", pod.Name, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("pod %s answers %s", pod.Name, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxAnswer))
}

// maxAnswer is more than any odiglet or collector has to say.
const maxAnswer = 16 << 20

// dialWithin is dial that ends with ctx: the API server may wait for a node that is
// gone, and nothing below takes a context. A connection that comes too late is closed.
func dialWithin(ctx context.Context, config *rest.Config, pod *corev1.Pod) (httpstream.Connection, error) {
	type result struct {
		connection httpstream.Connection
		err        error
	}
	dialled := make(chan result, 1)
	go func() {
		connection, err := dial(config, pod)
		dialled <- result{connection, err}
	}()
	select {
	case r := <-dialled:
		return r.connection, r.err
	case <-ctx.Done():
		go func() {
			if r := <-dialled; r.err == nil {
				_ = r.connection.Close() // nobody is there to use it
			}
		}()
		return nil, ctx.Err()
	}
}

// dial prefers WebSockets, which proxies before an API server let pass, and
// falls back to SPDY, which older API servers know.
func dial(config *rest.Config, pod *corev1.Pod) (httpstream.Connection, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	at := client.CoreV1().RESTClient().Post().Namespace(pod.Namespace).
		Resource("pods").Name(pod.Name).SubResource("portforward").URL()
	websocket, err := portforward.NewSPDYOverWebsocketDialer(at, config)
	if err != nil {
		return nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	older := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, at)
	dialer := portforward.NewFallbackDialer(websocket, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	connection, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, err
	}
	if protocol != portforward.PortForwardProtocolV1Name {
		return nil, errors.Join(fmt.Errorf("the API server speaks %q", protocol), connection.Close())
	}
	return connection, nil
}

// open makes the two streams of one forwarded connection and returns the one of the data.
func open(connection httpstream.Connection, port int) (httpstream.Stream, error) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	problems, err := connection.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	if err := problems.Close(); err != nil { // We have none to tell; what the other side tells shows as an end of the data.
		return nil, err
	}
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	return connection.CreateStream(headers)
}
