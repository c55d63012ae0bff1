package handshake_test

import (
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/handshake"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// statusOf is what the engine says of a process.
func statusOf(t *testing.T, s *roomtest.Seen, pid int) bpf.TargetStatus {
	t.Helper()
	for _, one := range s.Engine.Targets() {
		if int(one.PID) == pid {
			return one
		}
	}
	t.Fatalf("process %d is no target", pid)
	return bpf.TargetStatus{}
}

// looked is the status of a process that encrypts, once the engine has looked into it: it does so beside
// everything else, and a virtual machine has many files.
func looked(t *testing.T, s *roomtest.Seen, pid int) bpf.TargetStatus {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if now := statusOf(t, s, pid); now.TLS || !now.Unread.IsZero() || time.Now().After(deadline) {
			return now
		}
	}
}

// TestJava has Java's own TLS shake hands, which no source reads: that is said, and since when.
func TestJava(t *testing.T) {
	s := roomtest.Watch(t, handshake.Protocol)
	_, port, err := net.SplitHostPort(serve(t, s, shake(t)))
	if err != nil {
		t.Fatal(err)
	}
	const times = 10
	for _, version := range []string{"1.2", "1.3"} {
		t.Run(version, func(t *testing.T) {
			s.Reset()
			before := time.Now()
			cmd := program.Command(t, "java", "testdata/Shake.java", port, version, "10")
			in, lines := ready(t, s, cmd)
			if now := statusOf(t, s, cmd.Process.Pid); !now.Unread.IsZero() || now.UnreadNote() != "" {
				t.Errorf("it has not encrypted yet: %+v", now)
			}
			if _, err := io.WriteString(in, "go\n"); err != nil {
				t.Fatal(err)
			}
			want := map[string]said{}
			for len(want) < times && lines.Scan() {
				var one said
				if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
					t.Fatal(err)
				}
				want[one.Name] = one
			}
			compare(t, want, s.AtLeast(len(want), probe.Client), always("full"))
			compare(t, want, s.AtLeast(len(want), probe.Server), always("full"))
			now := looked(t, s, cmd.Process.Pid)
			if now.TLS || now.Unread.Before(before) || now.Unread.After(time.Now()) || !strings.HasPrefix(now.UnreadNote(), "encrypts since ") {
				t.Errorf("it encrypts by what nobody reads: %+v", now)
			}
		})
	}
}

// TestGnuTLS is another library that no source reads.
func TestGnuTLS(t *testing.T) {
	s := roomtest.Watch(t, handshake.Protocol)
	_, port, err := net.SplitHostPort(serve(t, s, shake(t)))
	if err != nil {
		t.Fatal(err)
	}
	for version, cipher := range map[string]string{"1.2": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "1.3": "TLS_AES_128_GCM_SHA256"} {
		t.Run(version, func(t *testing.T) {
			s.Reset()
			out := says(t, s, "gnutls-cli --insecure --sni-hostname g.shop.test --priority NORMAL:-VERS-ALL:+VERS-TLS"+version+" -p "+port+" 127.0.0.1")
			if !strings.Contains(out, "Description: (TLS"+version) || !strings.Contains(out, "-(AES-128-GCM)") {
				t.Fatalf("the client says %s", out)
			}
			want := map[string]said{"g.shop.test": {Version: version, Cipher: cipher}}
			compare(t, want, s.AtLeast(len(want), probe.Client), always("full"))
			compare(t, want, s.AtLeast(len(want), probe.Server), always("full"))
		})
	}
}
