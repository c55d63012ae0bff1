package shop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// The shop itself must not fail or mix up orders under load: otherwise the
// end-to-end test would blame the engine.
func TestShopAnswersFiftyClientsAtOnce(t *testing.T) {
	front := startShop(t)

	results, err := traffic.Run(t.Context(), traffic.Load{
		URL: front, Name: "fifty", Requests: 1000, Concurrency: 50,
	})
	if err != nil {
		t.Fatal(err)
	}
	summary := traffic.Summarise(results)
	t.Log(summary)
	if summary.Requests != 1000 || summary.Failed > 0 {
		t.Errorf("want 1000 requests without a failure, got %s", summary)
	}
}

func TestShopPassesTheMarkerToEveryService(t *testing.T) {
	front := startShop(t)

	resp, err := http.Get(front + "/checkout/order-42")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answers map[string]struct {
		Order string `json:"order"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answers); err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"catalogue", "recommender", "inventory"} {
		if got := answers[service].Order; got != "order-42" {
			t.Errorf("%s answered for order %q, want order-42", service, got)
		}
	}
}

// startShop runs the six services on loopback and returns nginx's URL.
func startShop(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build(t, "go", "build", "-o", dir+"/", "./frontend", "./catalogue")
	build(t, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir+"/", "./pricing")
	build(t, "javac", "-d", dir, "inventory/Inventory.java")

	pricing := start(t, nil, dir+"/pricing")
	askPricing := []string{"PRICING=" + pricing}
	catalogue := start(t, askPricing, dir+"/catalogue")
	recommender := start(t, askPricing, "python3", "recommender/recommender.py")
	inventory := start(t, askPricing, "java", "-Dsun.net.httpserver.nodelay=true", "-cp", dir, "Inventory")
	frontend := start(t, []string{
		"CATALOGUE=" + catalogue, "RECOMMENDER=" + recommender, "INVENTORY=" + inventory,
	}, dir+"/frontend")
	return startNginx(t, dir, frontend)
}

func startNginx(t *testing.T, dir, frontend string) string {
	t.Helper()
	conf, err := os.ReadFile("nginx/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	addr := loopback.Address(t)
	certificate, key := roomtest.Certificate(t)
	text := strings.NewReplacer(
		"server frontend:8080;", "server "+strings.TrimPrefix(frontend, "http://")+";",
		"listen 8080;", "listen "+addr+";",
		"listen 8443 ssl;", "listen "+loopback.Address(t)+" ssl;",
		"/tmp/nginx.crt", certificate, "/tmp/nginx.key", key,
		"/tmp/nginx", dir+"/nginx",
	).Replace(string(conf))
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, nil, addr, "nginx", "-c", path)
	return "http://" + addr
}

// start runs a service that takes its address from LISTEN and returns its URL.
func start(t *testing.T, env []string, command ...string) string {
	t.Helper()
	addr := loopback.Address(t)
	run(t, append(env, "LISTEN="+addr), addr, command...)
	return "http://" + addr
}

// run starts a command and waits until it answers on addr.
func run(t *testing.T, env []string, addr string, command ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := program.CommandContext(ctx, t, command[0], command[1:]...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", command[0], err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // ended by our signal
	})
	if err := waitHealthy(addr); err != nil {
		t.Fatalf("starting %v: %v\n%s", command, err, output.String())
	}
}

func waitHealthy(addr string) error {
	var last error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + addr + "/healthz")
		if err != nil {
			last = err
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		last = fmt.Errorf("/healthz answered %s", resp.Status)
	}
	return last
}

func build(t *testing.T, command ...string) {
	t.Helper()
	cmd := program.Command(t, command[0], command[1:]...)
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, output)
	}
}
