package controllers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // What the collector sends is compressed.
	"google.golang.org/grpc/metadata"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/controllers/certificates"
	"github.com/odi-dev/odi/controllers/destination"
	"github.com/odi-dev/odi/controllers/pipeline"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/peers"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestDestinationsStory tells how Destinations reach a real collector, and how
// their status follows a backend that dies and comes back.
func TestDestinationsStory(t *testing.T) {
	v := collectorconfig.Validator{Binary: odicollector.Binary(t)}
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.Namespace(t, c, "odi-system")
	manager := testkit.Deployment("odi-system", "odi-manager", "manager")
	testkit.Create(t, c, manager)
	k := newKubelet(t, c)
	testkit.RunManager(t, restConfig, kube.Config{Namespace: "odi-system", ManagerName: "odi-manager"},
		destinationsWith(destination.Options{Validator: v, Metrics: k.metrics}), pipelineWith(v), certificates.Setup)

	t.Log("The gateway is there before any Destination, and belongs to the manager.")
	gateway := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-gateway"}}
	testkit.EventuallyObject(t, c, gateway, "the gateway's configuration is there", func(m *corev1.ConfigMap) bool {
		return len(m.OwnerReferences) == 1 && m.OwnerReferences[0].UID == manager.UID
	})
	nodes := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "odi-node-collector"}}
	testkit.EventuallyObject(t, c, nodes, "the nodes know the gateway", func(m *corev1.ConfigMap) bool {
		return strings.Contains(m.Data["config.yaml"], "odi-gateway.odi-system:4317")
	})
	k.start(t)

	t.Log("Two of one type have each its own secret; one of a wrong type hurts nobody.")
	alive, mortal := newBackend(t), newBackend(t)
	alive.start(t)
	mortal.start(t)
	one, two := otlp("one", alive, "key-of-one"), otlp("two", mortal, "key-of-two")
	wrong := otlp("wrong", alive, "")
	wrong.Spec.Config["endpoint"] = "http://host:port"
	testkit.Create(t, c, secretOf("key-of-one", "Bearer one\n"), secretOf("key-of-two", "Bearer two"), one, two, wrong)
	wantCondition(t, c, one, want{odiv1.ConditionExporting, metav1.ConditionTrue}, "The backend answers; no data has come yet.")
	wantCondition(t, c, two, want{odiv1.ConditionReady, metav1.ConditionTrue}, "Takes traces, metrics, logs of all namespaces to http://"+mortal.address)
	wantCondition(t, c, wrong, want{odiv1.ConditionReady, metav1.ConditionFalse}, `endpoint: "http://host:port" is not valid`)
	wantCondition(t, c, wrong, want{odiv1.ConditionReady, metav1.ConditionFalse}, `invalid port ":port"`)
	testkit.WantEvent(t, c, wrong, odiv1.ReasonInvalidConfig)
	testkit.WantEvent(t, c, manager, "GatewayConfigured")
	k.send(t, 3)
	testkit.Eventually(t, 15*time.Second, "both get the data with their own key", func() bool {
		return alive.got() == 300 && mortal.got() == 300 && alive.lastKey() == "Bearer one" && mortal.lastKey() == "Bearer two"
	})
	k.wantNoSecretInConfig(t)

	t.Log("A backend dies: within 30 s its Destination says so in the backend's words; the other goes on.")
	mortal.stop()
	k.send(t, 2)
	wantCondition(t, c, two, want{odiv1.ConditionExporting, metav1.ConditionFalse}, "connection refused")
	testkit.WantEvent(t, c, two, odiv1.ReasonExportFailing)
	wantCondition(t, c, one, want{odiv1.ConditionExporting, metav1.ConditionTrue}, "The backend takes the data.")

	t.Log("A rotated secret is used within 30 s, without a new pod.")
	rotated := secretOf("key-of-one", "Bearer rotated")
	if err := c.Update(t.Context(), rotated); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, "the new key arrives", func() bool { return alive.lastKey() == "Bearer rotated" })

	t.Log("The backend is back: nothing is lost, also over the reload that the secret made.")
	mortal.start(t)
	wantCondition(t, c, two, want{odiv1.ConditionExporting, metav1.ConditionTrue}, "The backend takes the data.")
	testkit.Eventually(t, 20*time.Second, "all spans are there", func() bool { return mortal.got() >= 500 })
	if mortal.got() != 500 {
		t.Errorf("the backend has %d spans, want 500", mortal.got())
	}
	testkit.Eventually(t, 20*time.Second, "the status counts them", func() bool {
		return c.Get(t.Context(), client.ObjectKeyFromObject(two), two) == nil && two.Status.Sent == 500
	})
	if !strings.Contains(two.Status.LastError, "connection refused") {
		t.Errorf("the last error is %q, want the backend's words", two.Status.LastError)
	}

	t.Log("A deleted Destination gets nothing more.")
	if err := c.Delete(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 15*time.Second, "its lane is gone", func() bool { return !strings.Contains(k.config(), "odi-system/two") })
	if alive.got() != 500 {
		t.Errorf("the other backend has %d spans, want 500", alive.got())
	}
}

func destinationsWith(opts destination.Options) func(manager.Manager, kube.Config) error {
	return func(mgr manager.Manager, cfg kube.Config) error { return destination.SetupWith(mgr, cfg, opts) }
}

func pipelineWith(v collectorconfig.Validator) func(manager.Manager, kube.Config) error {
	return func(mgr manager.Manager, cfg kube.Config) error { return pipeline.SetupWith(mgr, cfg, v) }
}

func otlp(name string, b *backend, secret string) *odiv1.Destination {
	d := &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: name},
		Spec:       odiv1.DestinationSpec{Type: "otlp", Config: map[string]string{"endpoint": "http://" + b.address}},
	}
	if secret != "" {
		d.Spec.SecretRef = &odiv1.SecretReference{Name: secret}
	}
	return d
}

func secretOf(name, value string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: name},
		Data:       map[string][]byte{"header_value": []byte(value)},
	}
}

type want struct {
	kind   string
	status metav1.ConditionStatus
}

// wantCondition waits for 30 s, which is what odi promises.
func wantCondition(t *testing.T, c client.Client, d *odiv1.Destination, w want, words string) {
	t.Helper()
	begin := time.Now()
	testkit.Eventually(t, 30*time.Second, d.Name+": "+w.kind+" is "+string(w.status)+" with: "+words, func() bool {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
			return false
		}
		condition := meta.FindStatusCondition(d.Status.Conditions, w.kind)
		return condition != nil && condition.Status == w.status && strings.Contains(condition.Message, words)
	})
	t.Logf("%s: %s is %s after %s", d.Name, w.kind, w.status, time.Since(begin).Round(100*time.Millisecond))
}

// A kubelet stands in for the real one: it brings the gateway's ConfigMap and
// Secret into files, and runs the real collector on them.
type kubelet struct {
	client                 client.Client
	dir                    string
	otlp, metricsA, health string
	sender                 ptraceotlp.GRPCClient
}

func newKubelet(t *testing.T, c client.Client) *kubelet {
	t.Helper()
	return &kubelet{
		client: c, dir: t.TempDir(),
		otlp: freeAddress(t), metricsA: freeAddress(t), health: freeAddress(t),
	}
}

func (k *kubelet) start(t *testing.T) {
	t.Helper()
	testkit.Create(t, k.client, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "odi-system", Name: "gateway-pod", Labels: map[string]string{"app.kubernetes.io/name": "odi-gateway"},
		},
		Spec: corev1.PodSpec{NodeName: "node", Containers: []corev1.Container{{Name: "collector", Image: "collector:test"}}},
	})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "gateway-pod"}}
	status := []byte(`{"status":{"phase":"Running","podIP":"127.0.0.1","podIPs":[{"ip":"127.0.0.1"}]}}`)
	if err := k.client.Status().Patch(t.Context(), pod, client.RawPatch("application/merge-patch+json", status)); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, "the files are there", func() bool { return k.sync(t.Context()) == nil })
	var log bytes.Buffer
	cmd := program.Command(t, odicollector.Binary(t), "--config=live:"+filepath.Join(k.dir, "config.yaml"))
	cmd.Env = []string{"ODI_CREDENTIALS_DIR=" + k.dir}
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var syncing sync.WaitGroup
	syncing.Go(func() { k.keepSyncing(ctx) })
	t.Cleanup(func() {
		cancel()
		syncing.Wait()
		_ = cmd.Process.Signal(syscall.SIGTERM) // Wait says how it went.
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("the collector ended with %v:\n%s", err, log.String())
		}
	})
	t.Log("Who sends is a node collector.")
	var own corev1.Secret
	if err := k.client.Get(t.Context(), client.ObjectKey{Namespace: "odi-system", Name: "odi-node-collector-tls"}, &own); err != nil {
		t.Fatal(err)
	}
	as := peers.Credentials(t, own.Data, "client", "gateway.crt", "odi-gateway.odi-system")
	connection, err := grpc.NewClient(k.otlp, grpc.WithTransportCredentials(as))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	k.sender = ptraceotlp.NewGRPCClient(connection)
}

func (k *kubelet) keepSyncing(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = k.sync(ctx) // What failed is tried again.
		}
	}
}

// sync brings the Secret before the ConfigMap only by chance, as a kubelet does.
func (k *kubelet) sync(ctx context.Context) error {
	var config corev1.ConfigMap
	if err := k.client.Get(ctx, client.ObjectKey{Namespace: "odi-system", Name: "odi-gateway"}, &config); err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, name := range []string{"odi-gateway-credentials", "odi-gateway-tls"} {
		var secret corev1.Secret
		if err := k.client.Get(ctx, client.ObjectKey{Namespace: "odi-system", Name: name}, &secret); err != nil {
			return err
		}
		maps.Copy(files, secret.Data)
	}
	_, port, _ := net.SplitHostPort(k.metricsA)
	text := strings.NewReplacer(
		"0.0.0.0:4317", k.otlp, "0.0.0.0:13133", k.health,
		"port: 8888", "port: "+port, "host: 0.0.0.0", "host: 127.0.0.1",
		collectorconfig.QueueDir, filepath.Join(k.dir, "queue"), collectorconfig.CredentialsDir, k.dir,
	).Replace(config.Data["config.yaml"])
	problems := []error{k.write("config.yaml", text)}
	for key, value := range files {
		problems = append(problems, k.write(key, string(value)))
	}
	return errors.Join(problems...)
}

func (k *kubelet) write(name, content string) error {
	path := filepath.Join(k.dir, name)
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (k *kubelet) config() string {
	content, err := os.ReadFile(filepath.Join(k.dir, "config.yaml"))
	if err != nil {
		return ""
	}
	return string(content)
}

func (k *kubelet) wantNoSecretInConfig(t *testing.T) {
	t.Helper()
	if strings.Contains(k.config(), "Bearer one") {
		t.Error("a secret is in the ConfigMap")
	}
}

func (k *kubelet) metrics(ctx context.Context, _ *corev1.Pod) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+k.metricsA+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// send sends batches of 100 spans, each until it is taken.
func (k *kubelet) send(t *testing.T, batches int) {
	t.Helper()
	for range batches {
		data := ptrace.NewTraces()
		spans := data.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
		for range 100 {
			spans.AppendEmpty().SetName("GET")
		}
		request := ptraceotlp.NewExportRequestFromTraces(data)
		testkit.Eventually(t, 20*time.Second, "the gateway takes a batch", func() bool {
			_, err := k.sender.Export(t.Context(), request)
			return err == nil
		})
	}
}

// A backend counts the spans that it gets and remembers the last API key.
type backend struct {
	ptraceotlp.UnimplementedGRPCServer
	address string
	server  *grpc.Server

	mu    sync.Mutex
	spans int
	key   string
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	return &backend{address: freeAddress(t)}
}

func (b *backend) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	b.server = grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(b.server, b)
	go func() { _ = b.server.Serve(listener) }() // It ends with Stop.
	t.Cleanup(b.server.Stop)
}

// stop answers what it has begun: a batch without an answer is sent again, and
// would be counted twice.
func (b *backend) stop() { b.server.GracefulStop() }

// Export implements ptraceotlp.GRPCServer.
func (b *backend) Export(ctx context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.key = strings.Join(md.Get("authorization"), ",")
	b.spans += r.Traces().SpanCount()
	return ptraceotlp.NewExportResponse(), nil
}

func (b *backend) got() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spans
}

func (b *backend) lastKey() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.key
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }() // Only its address is of use.
	return listener.Addr().String()
}
