package roomtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
)

// Certificate makes one for this machine, which is its own authority.
func Certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// AwaitTLS waits until what some processes encrypt is seen. It skips a test on a kernel that is too
// old for that. An emulated machine takes half a minute to load the programs.
func AwaitTLS(t *testing.T, e *bpf.Engine, pids ...uint32) {
	t.Helper()
	needSeen(t, e, "requests over TLS")
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		seen := map[uint32]bool{}
		for _, s := range e.Targets() {
			seen[s.PID] = s.TLS
		}
		if !slices.ContainsFunc(pids, func(pid uint32) bool { return !seen[pid] }) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("what these encrypt is not seen: %v of %v", pids, seen)
		}
	}
}
