package controllers

import (
	"bytes"
	"context"
	"errors"
	"io"
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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/peers"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// A kubelet stands in for the real one: it brings the gateway's ConfigMap and
// Secret into files, and runs the real collector on them.
type kubelet struct {
	client                 client.Client
	dir                    string
	otlp, metricsA, health string
	sender                 ptraceotlp.GRPCClient
	gateway                *os.Process
	log                    *processLog
}

// A processLog is what a process prints, for several readers.
type processLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *processLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *processLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newKubelet(t *testing.T, c client.Client) *kubelet {
	t.Helper()
	return &kubelet{
		client: c, dir: t.TempDir(), log: &processLog{},
		otlp: loopback.Address(t), metricsA: loopback.Address(t), health: loopback.Address(t),
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
	cmd := program.Command(t, odicollector.Binary(t), "--config=live:"+filepath.Join(k.dir, "config.yaml"))
	cmd.Env = []string{"ODI_CREDENTIALS_DIR=" + k.dir, "ODI_ALLOW_ADDRESSES=" + besides}
	cmd.Stdout, cmd.Stderr = k.log, k.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.gateway = cmd.Process
	ctx, cancel := context.WithCancel(t.Context())
	var syncing sync.WaitGroup
	syncing.Go(func() { k.keepSyncing(ctx) })
	t.Cleanup(func() {
		cancel()
		syncing.Wait()
		_ = cmd.Process.Signal(syscall.SIGTERM) // Wait says how it went.
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("the collector ended with %v:\n%s", err, k.log.String())
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

// sync brings the Secrets before the ConfigMaps only by chance, as a kubelet does.
func (k *kubelet) sync(ctx context.Context) error {
	var parts []string
	for n := range collectorconfig.MostParts {
		var part corev1.ConfigMap
		err := k.client.Get(ctx, client.ObjectKey{Namespace: "odi-system", Name: collectorconfig.PartName("odi-gateway", n, "-")}, &part)
		if apierrors.IsNotFound(err) && n > 0 {
			break
		}
		if err != nil {
			return err
		}
		parts = append(parts, part.Data[collectorconfig.PartName("config.yaml", n, ".")])
	}
	text, err := collectorconfig.Join(parts)
	if err != nil {
		return err
	}
	if parts, err = collectorconfig.Split(k.moved(text)); err != nil {
		return err
	}
	var problems []error
	for n, part := range parts {
		problems = append(problems, k.write(collectorconfig.PartName("config.yaml", n, "."), part))
	}
	names := []string{"odi-gateway-tls"}
	for n := range collectorconfig.MostParts {
		names = append(names, collectorconfig.PartName("odi-gateway-credentials", n, "-"))
	}
	for n, name := range names {
		var secret corev1.Secret
		err := k.client.Get(ctx, client.ObjectKey{Namespace: "odi-system", Name: name}, &secret)
		if apierrors.IsNotFound(err) && n > 1 {
			break
		}
		problems = append(problems, err)
		for key, value := range secret.Data {
			problems = append(problems, k.write(key, string(value)))
		}
	}
	return errors.Join(problems...)
}

// moved is a configuration with the story's own addresses and folder.
func (k *kubelet) moved(text string) string {
	_, port, _ := net.SplitHostPort(k.metricsA)
	return strings.NewReplacer(
		"0.0.0.0:4317", k.otlp, "0.0.0.0:13133", k.health,
		"port: 8888", "port: "+port, "host: 0.0.0.0", "host: 127.0.0.1",
		collectorconfig.QueueDir, filepath.Join(k.dir, "queue"), collectorconfig.CredentialsDir, k.dir,
	).Replace(text)
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
	return &backend{address: loopback.Address(t)}
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
