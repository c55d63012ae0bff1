package bpf_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// startCurl starts curl, which waits until it is let go: it is watched before it asks. finish returns
// what it has said.
func startCurl(t *testing.T, args ...string) (pid uint32, finish func() string) {
	t.Helper()
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := program.Command(t, "curl", append([]string{"-sS", "file://" + gate}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return uint32(cmd.Process.Pid), func() string {
		opened, err := os.OpenFile(gate, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_ = opened.Close() // it reads on then
		_ = cmd.Wait()     // it fails where its last request does
		return out.String()
	}
}

// TestCurlAsksPythonOverTLS is the thinnest path: both ends are seen, each with what a request
// without TLS has.
func TestCurlAsksPythonOverTLS(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	addr := loopback.Address(t)
	server := start(t, addr, "python3", "testdata/tlshop.py", addr, "-", cert, key)
	client, finish := startCurl(t, "--cacert", cert, "https://"+addr+"/one?q=1")
	r := record(t, server, client)
	roomtest.AwaitTLS(t, r.engine, server, client)
	finish()
	spans := r.waitFor(2)
	if len(spans) != 2 {
		t.Fatalf("want both sides of a request, got %+v (lost: %v)", spans, r.engine.Drops())
	}
	for _, s := range spans {
		if !s.TLS || s.StatusCode != http.StatusOK || s.path != "/one?q=1" || s.ResponseBodySize <= 0 || s.Error != probe.ErrorNone {
			t.Errorf("%+v", s)
		}
		at := s.Local
		if s.Kind == probe.Client {
			at = s.Peer
		}
		if at.String() != addr {
			t.Errorf("the server's end is %s, want %s: %+v", at, addr, s)
		}
	}
}

// tlsClient trusts a certificate, and keeps as many connections as it is told.
func tlsClient(t *testing.T, cert string, width int) *http.Client {
	t.Helper()
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	transport := &http.Transport{MaxIdleConnsPerHost: width, TLSClientConfig: &tls.Config{RootCAs: trusted}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// lateTLS asks by HTTP, then loads its library, and asks over TLS so many times.
const lateTLS = `
import sys, http.client
plain, secure, cert, times = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
sys.stdin.readline()
import ssl, time
context = ssl.create_default_context(cafile=cert)
for i in range(times):
    c = http.client.HTTPSConnection(secure, context=context)
    c.request("GET", "/late%d" % i)
    c.getresponse().read()
    c.close()
    time.sleep(0.2)
`

// TestLibraryIsLoadedLater: nobody looks for the library of a process that has been there for long, until
// a connection of it begins to encrypt. Its first requests are missed, its later ones are not.
func TestLibraryIsLoadedLater(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	addr := loopback.Address(t)
	start(t, addr, "python3", "testdata/tlshop.py", addr, "-", cert, key)
	script := filepath.Join(t.TempDir(), "late.py")
	if err := os.WriteFile(script, []byte(lateTLS), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := program.Command(t, "python3", script, "-", addr, cert, "40")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := record(t, uint32(cmd.Process.Pid))
	time.Sleep(1500 * time.Millisecond) // between two looks
	if _, err := io.WriteString(in, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	spans := r.waitFor(20) // all but two where nothing else runs
	if len(spans) < 20 || len(spans) > 40 {
		t.Errorf("want 20 to 40 spans, got %d", len(spans))
	}
	for _, s := range spans {
		if !s.TLS || s.Kind != probe.Client || s.StatusCode != http.StatusOK {
			t.Errorf("%+v", s)
		}
	}
}

// TestThreadsLinkOverTLS: a server that asks another one over TLS is linked by its threads, as it
// is without.
func TestThreadsLinkOverTLS(t *testing.T) {
	needRoot(t)
	cert, key := roomtest.Certificate(t)
	front, back := loopback.Address(t), loopback.Address(t)
	second := start(t, back, "python3", "testdata/tlshop.py", back, "-", cert, key)
	first := start(t, front, "python3", "testdata/tlshop.py", front, "https://"+back, cert, key)
	r := record(t, first, second)
	roomtest.AwaitTLS(t, r.engine, first, second)
	for _, width := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			r.reset()
			const n = 500
			stormWith(t, tlsClient(t, cert, width), "https://"+front+"/tls", n, width)
			spans := r.waitFor(3 * n)
			found := judge(t, spans)
			if len(spans) != 3*n {
				t.Errorf("want %d spans, got %d (lost: %v)", 3*n, len(spans), r.engine.Drops())
			}
			if l := found[first]; l == nil || l.client != n || l.linked != n {
				t.Errorf("want %d linked requests, got %+v", n, l)
			}
			for _, s := range spans {
				if !s.TLS || !s.Peer.IsValid() || !s.Local.IsValid() {
					t.Fatalf("%+v", s)
				}
			}
		})
	}
}
