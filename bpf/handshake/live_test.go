package handshake_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/bpf/handshake"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

func TestMain(m *testing.M) {
	guard.Main() // engines of these tests start the test's binary as one
	os.Exit(m.Run())
}

// said is what a client says of its connection: see testdata/shake.
type said struct {
	Name, Version, Cipher, Protocol, Error string
	Resumed                                bool
}

// shake builds the program that serves and asks.
func shake(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shake")
	if out, err := program.Command(t, "go", "build", "-o", path, "./testdata/shake").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// serve starts a server that says where it listens, and has the engine watch it.
func serve(t *testing.T, s *roomtest.Seen, path string, args ...string) string {
	t.Helper()
	cert, key := roomtest.Certificate(t)
	cmd := program.Command(t, path, append([]string{"-serve", "-cert", cert, "-key", key}, args...)...)
	_, said := roomtest.Talk(t, cmd)
	if !said.Scan() {
		t.Fatal("the server does not start")
	}
	s.Target(t, cmd)
	return said.Text()
}

// ready starts a client that waits for a line, and has it watched.
func ready(t *testing.T, s *roomtest.Seen, cmd *exec.Cmd) (io.Writer, *bufio.Scanner) {
	t.Helper()
	in, lines := roomtest.Talk(t, cmd)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the client says %q", lines.Text())
	}
	s.Target(t, cmd)
	return in, lines
}

// asked has a client open its connections, watched, and returns what it says of each, by name.
func asked(t *testing.T, s *roomtest.Seen, cmd *exec.Cmd) map[string]said {
	t.Helper()
	in, lines := ready(t, s, cmd)
	if _, err := io.WriteString(in, "go\n"); err != nil {
		t.Fatal(err)
	}
	all := map[string]said{}
	for lines.Scan() {
		var one said
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all[one.Name] = one
	}
	return all
}

// compare holds what a client says against the handshakes that were seen of one side.
func compare(t *testing.T, want map[string]said, spans []probe.Span, kind func(said) string) {
	t.Helper()
	got := map[string]said{}
	for _, span := range spans {
		name := roomtest.Text(&span, "server.address")
		if _, twice := got[name]; twice {
			t.Errorf("%s shook hands twice", name)
		}
		if e := roomtest.Text(&span, "error.type"); e != "" {
			t.Errorf("%s failed: %s", name, e)
		}
		got[name] = said{
			Version: roomtest.Text(&span, "tls.protocol.version"), Cipher: roomtest.Text(&span, "tls.cipher"),
			Protocol: roomtest.Text(&span, "tls.next_protocol"),
		}
		if k := roomtest.Text(&span, "odi.tls.handshake.kind"); k != kind(want[name]) {
			t.Errorf("%s is %s, want %s", name, k, kind(want[name]))
		}
	}
	for name, one := range want {
		if one.Error != "" {
			t.Errorf("%s: the client says %s", name, one.Error)
		}
		is, ok := got[name]
		if one.Version == "1.3" {
			one.Protocol = "" // it is encrypted
		}
		if !ok || is.Version != one.Version || is.Cipher != one.Cipher || is.Protocol != one.Protocol {
			t.Errorf("%s is %+v, want %+v", name, is, one)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d handshakes, want %d", len(got), len(want))
	}
}

func always(kind string) func(said) string { return func(said) string { return kind } }

// TestGo has crypto/tls say what it has agreed on, in connections for a name each.
func TestGo(t *testing.T) {
	s := roomtest.Watch(t, handshake.Protocol)
	path := shake(t)
	resumed := func(one said) string {
		if one.Resumed {
			return "resumed"
		}
		return "full"
	}
	tests := map[string]struct {
		server, client []string
		kind           func(said) string
	}{
		"TLS 1.3":                      {nil, []string{"-times", "20"}, always("full")},
		"TLS 1.2":                      {nil, []string{"-times", "20", "-version", "1.2"}, always("full")},
		"TLS 1.3, 10 at a time":        {nil, []string{"-times", "90", "-parallel", "10"}, always("full")},
		"TLS 1.2, 100 at a time":       {nil, []string{"-times", "100", "-parallel", "100", "-version", "1.2"}, always("full")},
		"TLS 1.3, 100 at a time":       {nil, []string{"-times", "100", "-parallel", "100"}, always("full")},
		"a key that nobody offered":    {[]string{"-p521"}, []string{"-times", "20"}, always("retried")},
		"TLS 1.2, resumed":             {nil, []string{"-times", "20", "-version", "1.2", "-resume"}, resumed},
		"TLS 1.3, resumed":             {nil, []string{"-times", "20", "-resume"}, resumed},
		"TLS 1.3, a byte at a time":    {nil, []string{"-times", "3", "-pieces", "1"}, always("full")},
		"TLS 1.2, 7 bytes at a time":   {nil, []string{"-times", "5", "-pieces", "7", "-version", "1.2"}, always("full")},
		"a key, 100 bytes at a time":   {[]string{"-p521"}, []string{"-times", "5", "-pieces", "100"}, always("retried")},
		"resumed, 100 bytes at a time": {nil, []string{"-times", "5", "-pieces", "100", "-resume"}, resumed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s.Reset()
			address := serve(t, s, path, tc.server...)
			want := asked(t, s, program.Command(t, path, append([]string{"-to", address}, tc.client...)...))
			compare(t, want, s.AtLeast(len(want), probe.Client), tc.kind)
			compare(t, want, s.AtLeast(len(want), probe.Server), tc.kind)
		})
	}
}

// TestFailures are handshakes that fail, and what each side sees of that.
func TestFailures(t *testing.T) {
	s := roomtest.Watch(t, handshake.Protocol)
	path := shake(t)
	const name, times = "TLS full ", 5
	tests := map[string]struct {
		server, client []string
		onClient       string
		onServer       string
		sender         string
	}{
		"an authority that the client does not know": {nil, []string{"-strict"}, "encrypted_alert", "encrypted_alert", "client"},
		"... in TLS 1.2":            {nil, []string{"-strict", "-version", "1.2"}, "bad_certificate", "bad_certificate", "client"},
		"no common version":         {[]string{"-version", "1.3"}, []string{"-version", "1.2"}, "protocol_version", "protocol_version", "server"},
		"no certificate in TLS 1.2": {[]string{"-mutual"}, []string{"-version", "1.2"}, "handshake_failure", "handshake_failure", "server"},
		"the client leaves":         {nil, []string{"-leaves"}, "connection_closed", "connection_closed", ""},
	}
	for title, tc := range tests {
		t.Run(title, func(t *testing.T) {
			s.Reset()
			address := serve(t, s, path, tc.server...)
			asked(t, s, program.Command(t, path, append([]string{"-to", address, "-times", strconv.Itoa(times)}, tc.client...)...))
			for kind, want := range map[probe.Kind]string{probe.Client: tc.onClient, probe.Server: tc.onServer} {
				got := s.Counts(kind)[name+want]
				if want == "connection_closed" {
					got += s.Counts(kind)[name+"connection_reset"] // who still writes meets that
				}
				if got != times {
					t.Errorf("side %v: %v, want %d of %s", kind, s.Counts(kind), times, want)
				}
				for _, span := range s.Spans(kind) {
					if got := roomtest.Text(&span, "odi.tls.alert.sender"); got != tc.sender {
						t.Errorf("side %v: %q has sent the alert, want %q", kind, got, tc.sender)
					}
				}
			}
		})
	}
}

// openssl starts its server, on a port of its own.
func openssl(t *testing.T, s *roomtest.Seen, args ...string) string {
	t.Helper()
	cert, key := roomtest.Certificate(t)
	cmd := program.Command(t, "openssl", append([]string{"s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key, "-www"}, args...)...)
	_, lines := roomtest.Talk(t, cmd)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			go func() {
				for lines.Scan() { // it goes on to talk
				}
			}()
			s.Target(t, cmd)
			return at
		}
	}
	t.Fatal("the server does not start")
	return ""
}

// says runs a client that is watched from its beginning on, with nothing to send, and returns what it says.
func says(t *testing.T, s *roomtest.Seen, command string) string {
	t.Helper()
	program.Need(t, strings.Fields(command)[0])
	cmd := program.Command(t, "sh", "-c", "read go; exec "+command+" </dev/null") // the shell becomes the client
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.Target(t, cmd)
	if _, err := io.WriteString(in, "go\n"); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it says what it has agreed on, however it ends
	return out.String()
}

// TestPostgreSQL asks for TLS in the protocol of PostgreSQL first.
func TestPostgreSQL(t *testing.T) {
	s := roomtest.Watch(t, handshake.Protocol)
	at := serve(t, s, shake(t), "-postgres", "-version", "1.3")
	out := says(t, s, "openssl s_client -starttls postgres -connect "+at+" -servername db.shop.test")
	if !strings.Contains(out, "New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256") {
		t.Fatalf("the client says %s", out)
	}
	want := map[string]said{"db.shop.test": {Version: "1.3", Cipher: "TLS_AES_128_GCM_SHA256"}}
	compare(t, want, s.AtLeast(len(want), probe.Client), always("full"))
	compare(t, want, s.AtLeast(len(want), probe.Server), always("full"))
}

// isRead waits until what somebody encrypts is read: the programs for it come beside
// everything else, and the client may have ended before it was looked into.
func isRead(t *testing.T, s *roomtest.Seen) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		for _, status := range s.Engine.Targets() {
			if status.TLS && status.ReadBy() == "OpenSSL" && status.UnreadNote() == "" {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Errorf("nobody is read: %+v", s.Engine.Targets())
			return
		}
	}
}

// TestOpenSSL has the programs of OpenSSL shake hands, with a source on its functions.
func TestOpenSSL(t *testing.T) {
	s := roomtest.Watch(t, handshake.Protocol)
	for _, tc := range []struct{ option, version, cipher, name string }{
		{"-tls1_3", "1.3", "TLS_AES_256_GCM_SHA384", "one.shop.test"},
		{"-tls1_2", "1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "two.shop.test"},
	} {
		t.Run(tc.option, func(t *testing.T) {
			s.Reset()
			at := openssl(t, s, tc.option)
			out := says(t, s, "openssl s_client -connect "+at+" -servername "+tc.name)
			if !strings.Contains(out, "New, TLSv"+tc.version) {
				t.Fatalf("the client says %s", out)
			}
			want := map[string]said{tc.name: {Version: tc.version, Cipher: tc.cipher}}
			compare(t, want, s.AtLeast(len(want), probe.Client), always("full"))
			compare(t, want, s.AtLeast(len(want), probe.Server), always("full"))
			expires := time.Now().Add(time.Hour)
			isRead(t, s)
			for _, c := range s.Engine.Certificates() {
				if tc.version == "1.2" && (c.Name != tc.name || c.Expires.Sub(expires).Abs() > time.Minute) {
					t.Errorf("certificate %+v, want one until %v", c, expires)
				}
			}
			if n := len(s.Engine.Certificates()); (tc.version == "1.2") != (n == 2) {
				t.Errorf("%d certificates were seen", n)
			}
		})
	}
}

// TestNotTLS is a client that asks somebody who knows no TLS.
func TestNotTLS(t *testing.T) {
	s := roomtest.Watch(t, handshake.Protocol)
	path := shake(t)
	cmd := program.Command(t, "python3", "-u", "-c", `
import http.server
h = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print("127.0.0.1:%d" % h.server_port)
h.serve_forever()`)
	_, lines := roomtest.Talk(t, cmd)
	if !lines.Scan() {
		t.Fatal("the server does not start")
	}
	asked(t, s, program.Command(t, path, "-to", lines.Text()))
	if got := fmt.Sprint(s.Counts(probe.Client)); got != "map[TLS full not_tls:1]" {
		t.Errorf("%s", got)
	}
}
