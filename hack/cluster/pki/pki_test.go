package pki

import (
	"bytes"
	"crypto/x509"
	"os"
	"testing"
)

func TestServerCertificateIsGoodForItsHostsAndKept(t *testing.T) {
	dir := Dir(t.TempDir())
	server := Identity{Name: "server", User: "server", Hosts: []string{"198.18.0.1", "kubernetes.default.svc"}}
	if err := dir.Ensure(server); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	authority, err := os.ReadFile(dir.Cert(CA))
	if err != nil || !roots.AppendCertsFromPEM(authority) {
		t.Fatalf("reading the authority: %v", err)
	}
	der, err := read(dir.Cert("server"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range server.Hosts {
		if _, err := cert.Verify(x509.VerifyOptions{DNSName: host, Roots: roots}); err != nil {
			t.Errorf("as %s: %v", host, err)
		}
	}
	if err := dir.Ensure(server); err != nil {
		t.Fatal(err)
	}
	if again, err := read(dir.Cert("server")); err != nil || !bytes.Equal(again, der) {
		t.Errorf("the certificate was made anew (%v)", err)
	}
}
