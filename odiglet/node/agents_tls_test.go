package node

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/authority"
	"github.com/odi-dev/odi/internal/testkit/peers"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/export"
)

// TestTheWitnessShowsItsCertificate to a collector that takes no other's.
func TestTheWitnessShowsItsCertificate(t *testing.T) {
	hop, dir := peers.New(t, authority.ToNode), t.TempDir()
	for name, content := range hop.Client(t) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := hop.Server(t, "localhost")
	pair, err := tls.X509KeyPair(files["server.crt"], files["server.key"])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(files["clients.crt"])
	f := &fakeCollector{epoch: "1"}
	server := httptest.NewUnstartedServer(f)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	defer server.Close()

	settings := export.Settings{
		Protocol: export.GRPC, Endpoint: "localhost:4317",
		CAFile: filepath.Join(dir, "node-collector.crt"), CertFile: filepath.Join(dir, "client.crt"), KeyFile: filepath.Join(dir, "client.key"),
	}
	w, err := newWitness(settings, withAgents(), slog.New(slog.DiscardHandler))
	if err != nil || w == nil {
		t.Fatalf("no witness: %v", err)
	}
	if w.url != "https://localhost:4319/v1/pods" {
		t.Errorf("it asks %s", w.url)
	}
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	w.url = "https://localhost:" + port + "/v1/pods"
	w.instances = func() []attach.Instance { return nil }
	if err := w.once(t.Context(), time.Now()); err != nil || f.puts != 1 {
		t.Errorf("%d tables were put: %v", f.puts, err)
	}
	plain := settings
	plain.Plaintext = true
	if w, err := newWitness(plain, withAgents(), nil); w != nil || err != nil {
		t.Errorf("a receiver that is not odi's own is asked: %v", err)
	}
}
