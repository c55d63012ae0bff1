package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"time"
)

const (
	// pairLife leaves a manager that is away a month's time before anything stops.
	pairLife    = 90 * 24 * time.Hour
	pairRenewed = 30 * 24 * time.Hour
)

// Holder is whom a certificate is for. One is for one end of a hop: with a
// server's nobody can send.
type Holder struct {
	// Component is the common name.
	Component string
	// Server says which end of the hop it is, Hosts how clients call it.
	Server bool
	Hosts  []string
}

// Pair is a certificate and its key in PEM.
type Pair struct{ Cert, Key []byte }

// Renew returns the pair while it serves, and a new one otherwise.
func (p Pair) Renew(a Authorities, h Holder, now time.Time) (Pair, error) {
	if p.serves(a, h, now) {
		return p, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("making the key of %s: %w", h.Component, err)
	}
	issuer := a.issuer(now)
	end := now.Add(pairLife)
	if end.After(issuer.cert.NotAfter) {
		end = issuer.cert.NotAfter
	}
	cert, err := sign(&x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"odi"}, CommonName: h.Component},
		DNSNames:              h.Hosts,
		NotBefore:             now.Add(-skew),
		NotAfter:              end,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{h.usage()},
		BasicConstraintsValid: true,
	}, &key.PublicKey, issuer)
	if err != nil {
		return Pair{}, err
	}
	encoded, err := encodeKey(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Cert: encodeCert(cert), Key: encoded}, nil
}

func (h Holder) usage() x509.ExtKeyUsage {
	if h.Server {
		return x509.ExtKeyUsageServerAuth
	}
	return x509.ExtKeyUsageClientAuth
}

// serves says that everybody takes the pair, for long enough.
func (p Pair) serves(a Authorities, h Holder, now time.Time) bool {
	pair, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		return false
	}
	cert := pair.Leaf
	if cert.Subject.CommonName != h.Component || !slices.Equal(cert.DNSNames, h.Hosts) || !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{h.usage()}) {
		return false
	}
	trusted := x509.NewCertPool()
	for _, one := range a {
		if bytes.Equal(one.cert.SubjectKeyId, cert.AuthorityKeyId) {
			trusted.AddCert(one.cert)
		}
	}
	_, err = cert.Verify(x509.VerifyOptions{
		Roots: trusted, KeyUsages: cert.ExtKeyUsage, CurrentTime: now.Add(pairRenewed),
	})
	return err == nil
}
