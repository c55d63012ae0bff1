package redis_test

import (
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/redis"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestOverTLS: each command that a real client sends a real server over TLS is seen there, once.
func TestOverTLS(t *testing.T) {
	cert, key := roomtest.Certificate(t)
	addr := loopback.Address(t)
	_, port, _ := net.SplitHostPort(addr)
	server := program.Command(t, "redis-server", "--port", "0", "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key,
		"--tls-ca-cert-file", cert, "--tls-auth-clients", "no", "--save", "", "--dir", t.TempDir())
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("redis does not listen")
		}
	}
	s := roomtest.Watch(t, redis.Protocol)
	s.Target(t, server)
	roomtest.AwaitTLS(t, s.Engine, uint32(server.Process.Pid))
	for _, connections := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s.Reset()
			out, err := program.Command(t, "redis-benchmark", "--tls", "--cacert", cert, "-h", "127.0.0.1", "-p", port, "-q",
				"-n", "2000", "-c", strconv.Itoa(connections), "-t", "get,incr").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			_, by := commands(s, probe.Server)
			delete(by, "CONFIG") // what it asks before it begins
			if diff := cmp.Diff(map[string]int64{"GET": 2000, "INCR": 2000}, by); diff != "" {
				t.Errorf("losses %v (-want +got):\n%s", s.Engine.Drops(), diff)
			}
		})
	}
}
