package collectorconfig

import (
	"context"
	"crypto/tls"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	grpcpeer "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/odi-dev/odi/internal/authority"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/peers"
)

// nodeHost is how odiglets call their collector in this test.
const nodeHost = "odi-node-collector.odi-system"

// A chain is all that spans pass: a node collector, the gateway and a backend.
type chain struct {
	toNode, toGateway peers.Hop
	node, gateway     live
	backend           *backend
	ends              map[string]func() error // by node and gateway
}

func startChain(t *testing.T) *chain {
	t.Helper()
	c := &chain{
		toNode: peers.New(t, authority.ToNode), toGateway: peers.New(t, authority.ToGateway),
		node: newLive(t), gateway: newLive(t), backend: newBackend(t),
	}
	c.backend.start(t)
	c.issue(t)
	c.gateway.use(t, gateway(t, laneTo(t, "odi-system", "all", c.backend)))
	c.node.use(t, Node(strings.Replace(c.gateway.otlp, "127.0.0.1", "localhost", 1)))
	c.ends = map[string]func() error{"gateway": c.gateway.start(t), "node": c.node.start(t)}
	return c
}

// issue writes new certificates of the hops' authorities.
func (c *chain) issue(t *testing.T) {
	t.Helper()
	c.gateway.writeAll(t, c.toGateway.Server(t, "localhost"))
	c.issueNode(t)
}

func (c *chain) issueNode(t *testing.T) {
	t.Helper()
	c.node.writeAll(t, c.toNode.Server(t, nodeHost))
	c.node.writeAll(t, c.toGateway.Client(t))
}

// odiglet is who may send to the node collector.
func (c *chain) odiglet(t *testing.T) ptraceotlp.GRPCClient {
	t.Helper()
	return c.node.dial(t, peers.Credentials(t, c.toNode.Client(t), "client", "node-collector.crt", nodeHost))
}

// TestNobodyCanBeAnother is a pod that claims another namespace's name towards
// both collectors, with everything that it could have got hold of.
func TestNobodyCanBeAnother(t *testing.T) {
	c := startChain(t)
	own := peers.New(t, authority.ToNode)
	mixed := func(files ...map[string][]byte) map[string][]byte {
		all := map[string][]byte{}
		for _, f := range files {
			maps.Copy(all, f)
		}
		return all
	}
	anyCA := grpcpeer.NewTLS(&tls.Config{InsecureSkipVerify: true}) // It wants in, whoever that is.
	tests := map[string]struct {
		to live
		as grpcpeer.TransportCredentials
	}{
		"plain text to the node collector":         {c.node, insecure.NewCredentials()},
		"plain text to the gateway":                {c.gateway, insecure.NewCredentials()},
		"no certificate to the node collector":     {c.node, anyCA},
		"no certificate to the gateway":            {c.gateway, anyCA},
		"a certificate of its own making":          {c.node, peers.Credentials(t, mixed(own.Client(t), c.toNode.Server(t, nodeHost)), "client", "clients.crt", nodeHost)},
		"an odiglet's certificate to the gateway":  {c.gateway, peers.Credentials(t, mixed(c.toNode.Client(t), c.toGateway.Server(t, "localhost")), "client", "clients.crt", "localhost")},
		"the gateway's own certificate":            {c.gateway, peers.Credentials(t, c.toGateway.Server(t, "localhost"), "server", "clients.crt", "localhost")},
		"the node collector's server certificate":  {c.node, peers.Credentials(t, c.toNode.Server(t, nodeHost), "server", "clients.crt", nodeHost)},
		"a node collector to another's collectors": {c.node, peers.Credentials(t, mixed(c.toGateway.Client(t), c.toNode.Server(t, nodeHost)), "client", "clients.crt", nodeHost)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if _, err := tc.to.dial(t, tc.as).Export(ctx, claim("bank", 7)); err == nil {
				t.Error("its spans were taken")
			}
		})
	}
	if _, err := c.odiglet(t).Export(t.Context(), claim("shop", 7)); err != nil {
		t.Fatalf("the odiglet's spans were refused: %v", err)
	}
	testkit.Eventually(t, 10*time.Second, "the odiglet's spans arrive", func() bool { return c.backend.got("shop") == 7 })
	if got := c.backend.got("bank"); got != 0 {
		t.Errorf("%d spans of a stranger arrived", got)
	}
}

// rotate is issue as kubelets bring it: to one node after the other. A node
// collector that reloads in the very second in which the gateway does loses what is
// in its queue; that is why only new authorities make them reload.
func (c *chain) rotate(t *testing.T, f *flow) {
	t.Helper()
	c.gateway.writeAll(t, c.toGateway.Server(t, "localhost"))
	f.goOn(t)
	c.issueNode(t)
	f.goOn(t)
}

// TestCertificatesAreRenewedWithoutLoss changes every certificate, and then every
// authority as the controller does it, while spans flow.
func TestCertificatesAreRenewedWithoutLoss(t *testing.T) {
	c := startChain(t)
	flow := startFlow(t, c.odiglet(t))
	old := c.odiglet(t)
	oldAuthorities := map[*peers.Hop]authority.Authorities{&c.toNode: c.toNode.Authorities, &c.toGateway: c.toGateway.Authorities}
	next := map[*peers.Hop]authority.Authorities{&c.toNode: peers.New(t, authority.ToNode).Authorities, &c.toGateway: peers.New(t, authority.ToGateway).Authorities}

	t.Log("A new pair of each.")
	c.rotate(t, flow)
	flow.use(c.odiglet(t))
	flow.goOn(t)

	t.Log("New authorities are trusted, and sign nothing yet.")
	for hop := range next {
		hop.Authorities = append(append(authority.Authorities{}, oldAuthorities[hop]...), next[hop]...)
	}
	c.rotate(t, flow)
	flow.use(c.odiglet(t))

	t.Log("They sign, and the old ones go.")
	for hop := range next {
		hop.Authorities = append(append(authority.Authorities{}, next[hop]...), oldAuthorities[hop]...)
	}
	c.rotate(t, flow)
	flow.use(c.odiglet(t))
	flow.goOn(t)
	for hop := range next {
		hop.Authorities = next[hop]
	}
	c.rotate(t, flow)
	testkit.Eventually(t, 10*time.Second, "who has only the old certificate is out", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := old.Export(ctx, claim("old", 1))
		return err != nil
	})
	sent := flow.stop()
	for deadline := time.Now().Add(20 * time.Second); c.backend.got("shop") < sent && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	if got := c.backend.got("shop"); got != sent {
		t.Errorf("%d spans arrived, %d were sent", got, sent)
	}
	t.Logf("%d spans, none lost", sent)
}

// A flow sends one span every 20 ms, each until it is taken, as an odiglet does.
type flow struct {
	mu   sync.Mutex
	as   ptraceotlp.GRPCClient
	sent int
	end  context.CancelFunc
	done sync.WaitGroup
}

func startFlow(t *testing.T, as ptraceotlp.GRPCClient) *flow {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	f := &flow{as: as, end: end}
	f.done.Go(func() {
		for tick := time.Tick(20 * time.Millisecond); ctx.Err() == nil; <-tick {
			f.one()
		}
	})
	t.Cleanup(func() { f.stop() })
	return f
}

func (f *flow) one() {
	f.mu.Lock()
	as := f.as
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := as.Export(ctx, claim("shop", 1)); err == nil {
		f.mu.Lock()
		f.sent++
		f.mu.Unlock()
	}
}

// use makes the sender another, as a new connection with new certificates is.
func (f *flow) use(as ptraceotlp.GRPCClient) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.as = as
}

func (f *flow) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

// goOn waits for a reload, which a collector begins within a second, and for spans after it.
func (f *flow) goOn(t *testing.T) {
	t.Helper()
	time.Sleep(2 * time.Second)
	from := f.count()
	testkit.Eventually(t, 20*time.Second, "spans go on", func() bool { return f.count() > from+50 })
}

func (f *flow) stop() int {
	f.end()
	f.done.Wait()
	return f.count()
}
