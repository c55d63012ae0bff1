package http2_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestNginx: nginx, which sends bodies by sendfile between the frames of others, and
// nghttp, which also gets what it has not asked for.
func TestNginx(t *testing.T) {
	port, dir := loopback.Port(t), t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	for name, text := range map[string]string{config: fmt.Sprintf(`daemon off; pid %[2]s/pid; error_log %[2]s/error.log; worker_processes 2;
events {} http { access_log off; sendfile on; server { listen 127.0.0.1:%[1]s http2; root %[2]s; http2_push_preload on;
location /push { add_header Link "</small>; rel=preload; as=image"; try_files /small =404; } } }`, port, dir),
		filepath.Join(dir, "large"): strings.Repeat("l", 300_000), filepath.Join(dir, "small"): "s"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	server := started(t, program.Command(t, "nginx", "-c", config))
	listens(t, "127.0.0.1:"+port)
	s := roomtest.Watch(t, http2.Protocol)
	for _, worker := range append(workers(t, server), server.Process.Pid) {
		if err := s.Engine.AddTarget(probe.Target{PID: uint32(worker), Children: true}); err != nil {
			t.Fatal(err)
		}
	}
	url := "http://127.0.0.1:" + port
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := program.Command(t, name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %.500s", err, out)
		}
	}
	s.Reset()
	run("h2load", "-n", "600", "-c", "10", "-m", "10", url+"/large")
	run("h2load", "-n", "1000", "-c", "10", "-m", "10", url+"/small")
	run("h2load", "-n", "1000", "-c", "10", "-m", "10", url+"/none")
	for range 20 {
		run("nghttp", "-n", url+"/push", url+"/small")
	}
	got := map[string]int{}
	for _, is := range said(s, probe.Server, func(span *probe.Span) string {
		return fmt.Sprintf("%s %s %d", span.Name, span.Path.Text, roomtest.Number(span, "http.response.status_code"))
	}) {
		got[is]++
	}
	want := map[string]int{"GET /large 200": 600, "GET /small 200": 1020, "GET /none 404": 1000, "GET /push 200": 20}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("losses %v (-want +got):\n%s", s.Engine.Drops(), diff)
	}
}

// workers returns the children of a process.
func workers(t *testing.T, cmd *exec.Cmd) (pids []int) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Fields(string(raw)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}
