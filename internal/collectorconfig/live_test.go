package collectorconfig

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	grpcpeer "google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // What the collector sends is compressed.
	"google.golang.org/grpc/metadata"

	"github.com/odi-dev/odi/internal/authority"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/peers"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// A backend counts the spans that it gets, by namespace, and remembers the last API key.
type backend struct {
	ptraceotlp.UnimplementedGRPCServer
	address string
	server  *grpc.Server

	mu    sync.Mutex
	spans map[string]int
	key   string
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	return &backend{address: loopback.Address(t), spans: map[string]int{}}
}

func (b *backend) start(t *testing.T) {
	t.Helper()
	b.server = grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(b.server, b)
	serve(t, b)
}

// serve lets a backend's server take requests.
func serve(t *testing.T, b *backend) {
	t.Helper()
	listener, err := net.Listen("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = b.server.Serve(listener) }() // It ends with Stop.
	t.Cleanup(b.server.Stop)
}

// Export implements ptraceotlp.GRPCServer.
func (b *backend) Export(ctx context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	md, _ := metadata.FromIncomingContext(ctx)
	b.key = strings.Join(md.Get("authorization"), ",")
	for _, rs := range r.Traces().ResourceSpans().All() {
		namespace, _ := rs.Resource().Attributes().Get("k8s.namespace.name")
		for _, ss := range rs.ScopeSpans().All() {
			b.spans[namespace.Str()] += ss.Spans().Len()
		}
	}
	return ptraceotlp.NewExportResponse(), nil
}

func (b *backend) got(namespace string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spans[namespace]
}

func (b *backend) lastKey() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.key
}

// A live collector is a process with files that can be changed under it.
type live struct {
	dir                   string
	otlp, metrics, health string
	agents, pods          string
	log                   *processLog
}

// A liveGateway has a sender that is a node collector.
type liveGateway struct {
	live
	hop    peers.Hop
	sender ptraceotlp.GRPCClient
}

func newLive(t *testing.T) live {
	t.Helper()
	return live{dir: t.TempDir(), log: &processLog{}, otlp: loopback.Address(t), metrics: loopback.Address(t), health: loopback.Address(t), agents: loopback.Address(t), pods: loopback.Address(t)}
}

// start runs the collector on the files that are there. What it returns ends it,
// as a kubelet does; the test's end does so otherwise.
func (l live) start(t *testing.T) (end func() error) {
	t.Helper()
	cmd := program.Command(t, odicollector.Binary(t), "--config=live:"+filepath.Join(l.dir, "config.yaml"))
	cmd.Env = []string{"ODI_CREDENTIALS_DIR=" + l.dir, "ODI_ALLOW_ADDRESSES=127.0.0.1/32"}
	cmd.Stdout, cmd.Stderr = l.log, l.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceValue(func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // Wait says how it went.
		return cmd.Wait()
	})
	t.Cleanup(func() {
		if err := end(); err != nil || t.Failed() {
			t.Errorf("the collector ended with %v:\n%s", err, l.log.text.String())
		}
	})
	testkit.Eventually(t, 20*time.Second, "the collector is healthy", l.healthy)
	return end
}

func startGateway(t *testing.T, secrets map[string]string, lanes ...Lane) *liveGateway {
	t.Helper()
	g := &liveGateway{live: newLive(t), hop: peers.New(t, authority.ToGateway)}
	for name, secret := range secrets {
		g.write(t, name, secret)
	}
	g.writeAll(t, g.hop.Server(t, gatewayHost))
	g.configure(t, lanes...)
	g.start(t)
	files := g.hop.Client(t)
	g.sender = g.dial(t, peers.Credentials(t, files, "client", "gateway.crt", gatewayHost))
	return g
}

const gatewayHost = "odi-gateway.odi-system"

// dial connects to the collector as whom the credentials make.
func (l live) dial(t *testing.T, as grpcpeer.TransportCredentials) ptraceotlp.GRPCClient {
	t.Helper()
	return ptraceotlp.NewGRPCClient(l.connect(t, as))
}

func (l live) connect(t *testing.T, as grpcpeer.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	connection, err := grpc.NewClient(l.otlp, grpc.WithTransportCredentials(as))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// configure writes a gateway's configuration.
func (g *liveGateway) configure(t *testing.T, lanes ...Lane) {
	t.Helper()
	g.use(t, gateway(t, lanes...))
}

// use writes a configuration with this test's own addresses and folder.
func (l live) use(t *testing.T, c Config) {
	t.Helper()
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.metrics)
	text = strings.NewReplacer(
		"0.0.0.0:4317", l.otlp, "0.0.0.0:13133", l.health, "0.0.0.0:4318", l.agents, "0.0.0.0:4319", l.pods,
		"port: 8888", "port: "+port, "host: 0.0.0.0", "host: 127.0.0.1",
		QueueDir, filepath.Join(l.dir, "queue"), CredentialsDir, l.dir,
	).Replace(text)
	l.write(t, "config.yaml", text)
}

func (l live) writeAll(t *testing.T, files map[string][]byte) {
	t.Helper()
	for name, content := range files {
		l.write(t, name, string(content))
	}
}

// write replaces a file at once, as a kubelet does.
func (l live) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func (l live) healthy() bool {
	response, err := http.Get("http://" + l.health)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }() // Nothing is read from it.
	return response.StatusCode == http.StatusOK
}

// metric returns the first series whose name and labels match a pattern.
func (l live) metric(pattern string) string {
	response, err := http.Get("http://" + l.metrics + "/metrics")
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }() // It is read to its end.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(regexp.MustCompile("(?m)^" + pattern + ".*$").Find(body))
}

// send sends batches of 100 spans of one namespace, each until it is taken.
func (g *liveGateway) send(t *testing.T, namespace string, batches int) {
	t.Helper()
	for range batches {
		request := claim(namespace, 100)
		testkit.Eventually(t, 20*time.Second, "the gateway takes a batch", func() bool {
			_, err := g.sender.Export(t.Context(), request)
			return err == nil
		})
	}
}

// claim is a batch of spans that say they are of a namespace.
func claim(namespace string, n int) ptraceotlp.ExportRequest {
	data := ptrace.NewTraces()
	rs := data.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("k8s.namespace.name", namespace)
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for range n {
		spans.AppendEmpty().SetName("GET")
	}
	return ptraceotlp.NewExportRequestFromTraces(data)
}

func laneTo(t *testing.T, namespace, name string, b *backend) Lane {
	t.Helper()
	return laneOf(t, destination(namespace, name, "otlp", map[string]string{"endpoint": "http://" + b.address}))
}

func TestADeadBackendHoldsNobodyUpAndLosesNothing(t *testing.T) {
	alive, dead := newBackend(t), newBackend(t)
	alive.start(t)
	deadLane := laneTo(t, "odi-system", "dead", dead)
	deadLane.Generation = 7
	g := startGateway(t, nil, laneTo(t, "odi-system", "alive", alive), deadLane)

	testkit.Eventually(t, 10*time.Second, "it says which configuration of the dead one it has", func() bool {
		return g.metric(`odi_destination_configured\{destination="odi-system/dead",generation="7".*uid="`+deadLane.UID+`"`) != ""
	})
	testkit.Eventually(t, 10*time.Second, "the heartbeat has the words for the dead one", func() bool {
		return strings.Contains(g.metric(`odi_destination_up\{destination="odi-system/dead"`), "connection refused")
	})
	g.send(t, "shop", 20)
	testkit.Eventually(t, 10*time.Second, "the living one has all spans", func() bool { return alive.got("shop") == 2000 })

	g.configure(t, laneTo(t, "odi-system", "alive", alive), laneTo(t, "odi-system", "dead", dead),
		laneOf(t, destination("odi-system", "more", "debug", nil)))
	testkit.Eventually(t, 20*time.Second, "the reload is done", func() bool {
		return g.healthy() && strings.Contains(g.metric("target_info"), gatewayHash(t, alive, dead))
	})
	g.send(t, "shop", 10)

	dead.start(t)
	testkit.Eventually(t, 30*time.Second, "the one that is back has all spans, also those from before the reload",
		func() bool { return dead.got("shop") >= 3000 })
	testkit.Eventually(t, 10*time.Second, "the heartbeat sees it", func() bool {
		return strings.HasSuffix(g.metric(`odi_destination_up\{destination="odi-system/dead"`), " 1")
	})
	if got := []int{alive.got("shop"), dead.got("shop")}; got[0] != 3000 || got[1] != 3000 {
		t.Errorf("the backends have %v spans, want 3000 each", got)
	}
}

// gatewayHash is that of the configuration with the debug lane, before this test's addresses are put in.
func gatewayHash(t *testing.T, alive, dead *backend) string {
	t.Helper()
	return gateway(t, laneTo(t, "odi-system", "alive", alive), laneTo(t, "odi-system", "dead", dead),
		laneOf(t, destination("odi-system", "more", "debug", nil))).ConfigHash()
}

func TestATenantGetsItsOwnDataAlone(t *testing.T) {
	all, shop := newBackend(t), newBackend(t)
	all.start(t)
	shop.start(t)
	g := startGateway(t, nil, laneTo(t, "odi-system", "all", all), laneTo(t, "shop", "own", shop))
	g.send(t, "bank", 3)
	g.send(t, "shop", 2)
	testkit.Eventually(t, 10*time.Second, "both have what is theirs", func() bool {
		return all.got("bank") == 300 && all.got("shop") == 200 && shop.got("shop") == 200
	})
	if got := shop.got("bank"); got != 0 {
		t.Errorf("the tenant of shop got %d spans of bank", got)
	}
}

func TestARotatedSecretIsUsedWithoutARestart(t *testing.T) {
	b := newBackend(t)
	b.start(t)
	d := destination("odi-system", "d", "otlp", map[string]string{"endpoint": "http://" + b.address})
	key := CredentialKey(d, "header_value")
	g := startGateway(t, map[string]string{key: "old ${env:HOME} $5"}, laneOf(t, d, "header_value"))
	testkit.Eventually(t, 10*time.Second, "the secret arrives as it is", func() bool { return b.lastKey() == "old ${env:HOME} $5" })
	g.write(t, key, "new")
	testkit.Eventually(t, 15*time.Second, "the new secret arrives", func() bool { return b.lastKey() == "new" })
}
