package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/kafka"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// asSecured has peers speak TLS: the files of a certificate and its key.
const asSecured = "ODI_TEST_KAFKA_TLS"

// secured is what a broker and a client of this process encrypt with; nil where they do not.
func secured() (serves, trusts *tls.Config) {
	files := strings.Fields(os.Getenv(asSecured))
	if len(files) == 0 {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(files[0], files[1])
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &tls.Config{Certificates: []tls.Certificate{pair}}, &tls.Config{RootCAs: roots}
}

// TestOverTLS: each record that clients send and read over TLS is one span, as without: in Go with its own
// TLS, in librdkafka with OpenSSL.
func TestOverTLS(t *testing.T) {
	cert, key := roomtest.Certificate(t)
	s := roomtest.Watch(t, kafka.Protocol)
	secure := func(cmd *exec.Cmd) *exec.Cmd {
		if cmd.Env == nil {
			cmd.Env = os.Environ()
		}
		cmd.Env = append(cmd.Env, asSecured+"="+cert+" "+key)
		return cmd
	}
	for _, tc := range []struct{ clients, times int }{{1, 200}, {10, 50}, {100, 10}} {
		t.Run(fmt.Sprint("Go ", tc.clients), func(t *testing.T) {
			port := loopback.Port(t)
			started(t, port, secure(peer(t, "broker", port, 101)))
			s.Reset()
			cmd := secure(peer(t, "clients", "127.0.0.1:"+port, "latest", tc.clients, tc.times))
			did := trades(t, s, cmd, false, func() { roomtest.AwaitTLS(t, s.Engine, uint32(cmd.Process.Pid)) })
			if diff := cmp.Diff(did.Did, seen(s, probe.Client)); diff != "" {
				t.Errorf("losses %v; seen at the clients (-want +got):\n%.3000s", s.Engine.Drops(), diff)
			}
		})
	}
	t.Run("librdkafka", func(t *testing.T) {
		port := loopback.Port(t)
		started(t, port, secure(peer(t, "broker", port, 2)))
		s.Reset()
		cmd := program.Command(t, "python3", "testdata/trade.py", "librdkafka", "127.0.0.1:"+port, "200", cert)
		did := trades(t, s, cmd, false, func() { roomtest.AwaitTLS(t, s.Engine, uint32(cmd.Process.Pid)) })
		if diff := cmp.Diff(did.Did, seen(s, probe.Client)); diff != "" || len(did.Did) != 400 {
			t.Errorf("losses %v; seen at the client (-want +got):\n%s", s.Engine.Drops(), diff)
		}
	})
}
