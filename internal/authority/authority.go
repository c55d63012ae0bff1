package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	// authorityLife is long, because a change of authority is the rotation that
	// needs most to go right; renewed that long before its end, an authority
	// outlives every certificate that it signs.
	authorityLife    = 10 * 365 * 24 * time.Hour
	authorityRenewed = 365 * 24 * time.Hour
	// settling is how long a new authority is only trusted before it signs: every
	// kubelet refreshes its files within a few minutes.
	settling = time.Hour
	// skew is how far two nodes' clocks may be apart.
	skew = time.Hour
)

// Hop is a way between two components. Its name is in its authorities' names.
type Hop string

// The hops within odi, and the one from the API server.
const (
	// ToNode is from an odiglet to the collector of its node.
	ToNode Hop = "node-collector"
	// ToGateway is from the node collectors to the gateway.
	ToGateway Hop = "gateway"
	// ToWebhook is from the API server to the manager, which it asks about new pods. Clients show no certificate.
	ToWebhook Hop = "webhook"
)

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Authorities of one hop, the oldest first. All are trusted, one signs.
type Authorities []Authority

// Renew leaves out what has ended and adds an authority where none lives long
// enough. It returns the same authorities while they serve.
func (a Authorities) Renew(hop Hop, now time.Time) (Authorities, error) {
	var kept Authorities
	enough := false
	for _, one := range a {
		if now.Before(one.cert.NotAfter) {
			kept = append(kept, one)
			enough = enough || now.Add(authorityRenewed).Before(one.cert.NotAfter)
		}
	}
	if enough {
		return kept, nil
	}
	added, err := newAuthority(hop, now)
	if err != nil {
		return nil, err
	}
	return append(kept, added), nil
}

func newAuthority(hop Hop, now time.Time) (Authority, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"odi"}, CommonName: "odi authority of " + string(hop)},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Authority{}, fmt.Errorf("making the key of an authority: %w", err)
	}
	cert, err := sign(template, &key.PublicKey, Authority{cert: template, key: key})
	if err != nil {
		return Authority{}, err
	}
	return Authority{cert, key}, nil
}

// issuer is the newest that everybody knows by now. A lone one is new
// everywhere at once, with all that it signs.
func (a Authorities) issuer(now time.Time) Authority {
	for i := len(a) - 1; i > 0; i-- {
		if now.After(a[i].cert.NotBefore.Add(skew + settling)) {
			return a[i]
		}
	}
	return a[0]
}

// Bundle is what the other end of the hop trusts, in PEM.
func (a Authorities) Bundle() []byte {
	var out []byte
	for _, one := range a {
		out = append(out, encodeCert(one.cert)...)
	}
	return out
}

// Encode returns certificates and keys in PEM, in the same order.
func (a Authorities) Encode() (certs, keys []byte, err error) {
	for _, one := range a {
		key, err := encodeKey(one.key)
		if err != nil {
			return nil, nil, err
		}
		keys = append(keys, key...)
	}
	return a.Bundle(), keys, nil
}

// Decode reads what Encode wrote.
func Decode(certs, keys []byte) (Authorities, error) {
	var a Authorities
	for len(certs) > 0 {
		var certBlock, keyBlock *pem.Block
		if certBlock, certs = pem.Decode(certs); certBlock == nil {
			break
		}
		if keyBlock, keys = pem.Decode(keys); keyBlock == nil {
			return nil, errors.New("reading authorities: one has no key")
		}
		cert, err := x509.ParseCertificate(certBlock.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading an authority: %w", err)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading an authority's key: %w", err)
		}
		key, ok := parsed.(*ecdsa.PrivateKey)
		if !ok || !key.PublicKey.Equal(cert.PublicKey) {
			return nil, errors.New("reading an authority's key: it is another's")
		}
		a = append(a, Authority{cert, key})
	}
	return a, nil
}

func sign(template *x509.Certificate, public *ecdsa.PublicKey, by Authority) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("choosing a serial number: %w", err)
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, public, by.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading what was signed: %w", err)
	}
	return cert, nil
}

func encodeCert(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
