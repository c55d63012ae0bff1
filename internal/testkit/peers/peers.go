// Package peers gives tests the certificates of odi's components, and what a
// client of gRPC needs to be one of them.
package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/odi-dev/odi/internal/authority"
)

// Hop has the authorities of one hop. The zero value has none yet.
type Hop struct {
	Name        authority.Hop
	Authorities authority.Authorities
}

// New returns a hop with an authority of its own.
func New(t testing.TB, name authority.Hop) Hop {
	t.Helper()
	authorities, err := authority.Authorities{}.Renew(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return Hop{name, authorities}
}

// Server returns the files of a server that clients call by host.
func (h Hop) Server(t testing.TB, host string) map[string][]byte {
	t.Helper()
	pair := h.pair(t, authority.Holder{Component: "server", Server: true, Hosts: []string{host}})
	return map[string][]byte{"server.crt": pair.Cert, "server.key": pair.Key, "clients.crt": h.Authorities.Bundle()}
}

// Client returns the files of a client.
func (h Hop) Client(t testing.TB) map[string][]byte {
	t.Helper()
	pair := h.pair(t, authority.Holder{Component: "client"})
	return map[string][]byte{"client.crt": pair.Cert, "client.key": pair.Key, string(h.Name) + ".crt": h.Authorities.Bundle()}
}

func (h Hop) pair(t testing.TB, holder authority.Holder) authority.Pair {
	t.Helper()
	pair, err := authority.Pair{}.Renew(h.Authorities, holder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// Credentials are those of a client with the files: what is in them as cert and key,
// trusting what is in them as ca.
func Credentials(t testing.TB, files map[string][]byte, prefix, ca, server string) credentials.TransportCredentials {
	t.Helper()
	pair, err := tls.X509KeyPair(files[prefix+".crt"], files[prefix+".key"])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(files[ca]) {
		t.Fatalf("no certificate in %s", ca)
	}
	return credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: server, MinVersion: tls.VersionTLS13,
	})
}

// SelfSigned is a certificate in PEM that nobody has signed but itself.
func SelfSigned(t testing.TB) string {
	t.Helper()
	certificate, _ := Pair(t)
	return certificate
}

// Pair is such a certificate for 127.0.0.1, and its key, in PEM.
func Pair(t testing.TB) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}
