package handshake

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
)

var expiry = time.Date(2049, 12, 31, 23, 59, 58, 0, time.UTC)

// certificate makes one that expires then.
func certificate(t testing.TB, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Unix(0, 0), NotAfter: until}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// tap keeps what is written.
type tap struct {
	net.Conn
	mu      sync.Mutex
	written bytes.Buffer
}

func (c *tap) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.written.Write(b)
	c.mu.Unlock()
	return c.Conn.Write(b)
}

// said is what was written in the clear, as the programs keep it.
func (c *tap) said() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []byte
	for raw := c.written.Bytes(); len(raw) >= 5; {
		n := 5 + int(binary.BigEndian.Uint16(raw[3:]))
		if raw[0] != 22 {
			break
		}
		out, raw = append(out, raw[5:n]...), raw[n:]
	}
	return out[:min(len(out), saidMax)]
}

// shake has both sides of crypto/tls shake hands.
func shake(t testing.TB, client, server *tls.Config) (note []byte, state tls.ConnectionState) {
	t.Helper()
	here, there := net.Pipe()
	c, s := &tap{Conn: here}, &tap{Conn: there}
	defer here.Close()
	defer there.Close()
	done := make(chan error, 1)
	go func() { done <- tls.Server(s, server).Handshake() }()
	conn := tls.Client(c, client)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return noteOf(endedDone, 0, 0, c.said(), s.said()), conn.ConnectionState()
}

// noteOf is an event as the programs send it.
func noteOf(ended ending, bits, alert uint8, client, server []byte) []byte {
	raw := binary.NativeEndian.AppendUint16(nil, uint16(len(client)))
	raw = binary.NativeEndian.AppendUint16(raw, uint16(len(server)))
	raw = append(raw, byte(ended), bits, 2, alert)
	raw = append(raw, client...)
	raw = append(raw, make([]byte, saidMax-len(client))...)
	return append(raw, server...)
}

// decoded goes the way of an event.
func decoded(x probe.Exchange) probe.Span {
	var span probe.Span
	Follow(nil).Take(&x, func(x *probe.Exchange) { Decode(x, &span) })
	return span
}

func labels(span probe.Span) string {
	var words []string
	for _, a := range span.Attributes {
		text := a.Text
		if a.IsNumber {
			text = fmt.Sprint(a.Number)
		}
		words = append(words, a.Key+"="+text)
	}
	return strings.Join(words, " ")
}

// TestAgreed reads what crypto/tls has said, and compares it with what it knows itself.
func TestAgreed(t *testing.T) {
	server := &tls.Config{Certificates: []tls.Certificate{certificate(t, expiry)}, NextProtos: []string{"h2"}}
	for name, version := range map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": version12, "1.3": version13} {
		t.Run(name, func(t *testing.T) {
			server.MinVersion = tls.VersionTLS10
			raw, state := shake(t, &tls.Config{ServerName: "Cart.Shop.test", InsecureSkipVerify: true, NextProtos: []string{"h2"}, MinVersion: version, MaxVersion: version}, server)
			want := "tls.protocol.version=" + name + " tls.cipher=" + tls.CipherSuiteName(state.CipherSuite) + " odi.tls.handshake.kind=full"
			if version < version13 {
				want += " tls.next_protocol=h2"
			}
			if got := labels(decoded(probe.Exchange{RequestHead: raw})); got != want+" server.address=cart.shop.test" {
				t.Errorf("got %s", got)
			}
			f := Follow(nil).(*Follower)
			f.Take(&probe.Exchange{PID: 7, Kind: probe.Server, RequestHead: raw}, func(*probe.Exchange) {})
			all := f.List()
			if version == version13 {
				if len(all) != 0 {
					t.Errorf("certificates %v of what is encrypted", all)
				}
				return
			}
			want1 := []Certificate{{CertificateKey: CertificateKey{Name: "cart.shop.test", PID: 7, Kind: probe.Server}, Expires: expiry}}
			if diff := cmp.Diff(want1, all); diff != "" {
				t.Errorf("certificates (-want +got):\n%s", diff)
			}
			f.Forget(all[0].CertificateKey)
			if len(f.List()) != 0 {
				t.Error("it is not forgotten")
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := map[string]struct {
		ended ending
		bits  uint8
		alert uint8
		fault probe.ErrorKind
		want  string
	}{
		"an alert of the client's":      {endedAlert, bitByClient, 48, 0, "error.type=unknown_ca odi.tls.alert.sender=client"},
		"one of the server's":           {endedAlert, 0, 70, 0, "error.type=protocol_version odi.tls.alert.sender=server"},
		"one that has no name":          {endedAlert, 0, 200, 0, "error.type=alert_200 odi.tls.alert.sender=server"},
		"one that is encrypted":         {endedSecretAlert, bitByClient, 0, 0, "error.type=encrypted_alert odi.tls.alert.sender=client"},
		"the server speaks no TLS":      {endedOther, 0, 0, 0, "error.type=not_tls"},
		"the connection is reset":       {endedClosed, 0, 0, probe.ErrorReset, "error.type=connection_reset"},
		"it is closed":                  {endedClosed, 0, 0, probe.ErrorClosed, "error.type=connection_closed"},
		"it is closed, nobody says how": {endedClosed, 0, 0, 0, "error.type=connection_closed"},
	}
	for name, tc := range tests {
		span := decoded(probe.Exchange{RequestHead: noteOf(tc.ended, tc.bits, tc.alert, nil, nil), Error: tc.fault})
		if got := labels(span); got != tc.want || !span.Failed || !span.Measured {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// TestNames are those that a server was asked for: any number, by anybody.
func TestNames(t *testing.T) {
	n := make(names)
	if got := n.bounded(1, "", true); got != "" {
		t.Errorf("no name is %q", got)
	}
	if got := n.bounded(1, "scanner.test", false); got != otherName {
		t.Errorf("one that had no answer is %q", got)
	}
	for i := range 3 * namesMax {
		n.bounded(1, fmt.Sprintf("n%d.test", i), true)
	}
	if len(n[1]) != namesMax || n.bounded(1, "n0.test", false) != "n0.test" || n.bounded(1, "late.test", true) != otherName {
		t.Errorf("%d names are told apart", len(n[1]))
	}
	for pid := range uint32(3 * namersMax) {
		n.bounded(pid, "a.test", true)
	}
	if len(n) > namersMax {
		t.Errorf("%d processes are kept", len(n))
	}
}

// TestCertificatesMax keeps those that were seen last.
func TestCertificatesMax(t *testing.T) {
	var c Certificates
	for i := range 2 * certificatesMax {
		c.note(&probe.Exchange{PID: uint32(i), End: time.Unix(int64(i), 0)}, "", expiry)
	}
	for _, one := range c.List() {
		if one.PID < certificatesMax {
			t.Fatalf("an old one is kept: %v", one)
		}
	}
	if len(c.List()) != certificatesMax {
		t.Errorf("%d are kept", len(c.List()))
	}
}

// TestNotAfter compares with crypto/x509, on the certificate and every beginning of it.
func TestNotAfter(t *testing.T) {
	for _, until := range []time.Time{expiry, time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(1999, 1, 2, 3, 4, 5, 0, time.UTC)} {
		raw := certificate(t, until).Certificate[0]
		if at, ok := notAfter(raw); !ok || !at.Equal(until) {
			t.Errorf("%v is %v, %v", until, at, ok)
		}
		for n := range raw {
			if at, ok := notAfter(raw[:n]); ok && !at.Equal(until) {
				t.Errorf("the first %d bytes say %v, want %v", n, at, until)
			}
		}
	}
}

// captured are the hellos of libraries that nobody here wrote: a line each, its name and what
// both sides said.
func captured(t testing.TB) map[string][2][]byte {
	t.Helper()
	content, err := os.ReadFile("testdata/captured.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][2][]byte{}
	for line := range strings.Lines(string(content)) {
		var name string
		var client, server []byte
		if _, err := fmt.Sscanf(line, "%s %x %x", &name, &client, &server); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all[name] = [2][]byte{client, server}
	}
	return all
}

// TestCaptured reads the hellos of other libraries.
func TestCaptured(t *testing.T) {
	want := map[string]string{
		"openssl-1.2": "1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 shop.test",
		"openssl-1.3": "1.3 TLS_AES_256_GCM_SHA384 shop.test",
		"java-1.2":    "1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 shop.test",
		"java-1.3":    "1.3 TLS_AES_256_GCM_SHA384 shop.test",
		"nodejs-1.2":  "1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 shop.test",
		"nodejs-1.3":  "1.3 TLS_AES_256_GCM_SHA384 shop.test",
		"python-1.2":  "1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 shop.test",
		"python-1.3":  "1.3 TLS_AES_256_GCM_SHA384 shop.test",
	}
	got := map[string]string{}
	for name, said := range captured(t) {
		answer, certificate := readAnswer(said[1])
		got[name] = versionOf(answer.version) + " " + cipherOf(answer.cipher) + " " + readServerName(said[0])
		if _, ok := notAfter(certificate); ok != (answer.version == version12) {
			t.Errorf("%s: a certificate was read: %v", name, ok)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzTake gives the room anything: it neither breaks nor lets anything but names out.
func FuzzTake(f *testing.F) {
	for _, said := range captured(f) {
		f.Add(noteOf(endedDone, 0, 0, said[0], said[1]))
		f.Add(noteOf(endedAlert, bitByClient, 48, said[0], nil))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		span := decoded(probe.Exchange{RequestHead: raw, Kind: probe.Client})
		for _, a := range span.Attributes {
			if len(a.Text) > nameMax {
				t.Errorf("%s is %q", a.Key, a.Text)
			}
			for _, c := range []byte(a.Text) {
				if c <= ' ' || c > '~' {
					t.Errorf("%s is %q", a.Key, a.Text)
				}
			}
		}
	})
}
