// Package pki makes the keys, certificates and kubeconfigs of a local cluster.
// What exists is kept, so that a restarted cluster trusts what it trusted before.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime is longer than any local cluster lives, so nothing renews certificates.
const lifetime = 5 * 365 * 24 * time.Hour

// Dir is the folder that holds keys and certificates as <name>.key and <name>.crt.
type Dir string

// Key is the path of a private key.
func (d Dir) Key(name string) string { return filepath.Join(string(d), name+".key") }

// Cert is the path of a certificate.
func (d Dir) Cert(name string) string { return filepath.Join(string(d), name+".crt") }

// CA is the name of the authority that signs everything else.
const CA = "ca"

// Identity is what a certificate says about its holder.
type Identity struct {
	Name   string   // Of the files.
	User   string   // Common name: the Kubernetes user.
	Groups []string // Organisations: the Kubernetes groups.
	Hosts  []string // Names and addresses that it serves at; empty for clients.
}

// Ensure makes the authority and the certificates that are missing.
func (d Dir) Ensure(identities ...Identity) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("making the folder of the keys: %w", err)
	}
	authority := Identity{Name: CA, User: "odi local cluster"}
	for _, identity := range append([]Identity{authority}, identities...) {
		if exists(d.Key(identity.Name)) && exists(d.Cert(identity.Name)) {
			continue
		}
		if err := d.issue(identity); err != nil {
			return fmt.Errorf("issuing the certificate of %s: %w", identity.Name, err)
		}
	}
	return nil
}

func (d Dir) issue(identity Identity) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template, err := template(identity)
	if err != nil {
		return err
	}
	parent, signer := template, key
	if identity.Name != CA {
		if parent, signer, err = d.authority(); err != nil {
			return err
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		write(d.Key(identity.Name), "EC PRIVATE KEY", secret),
		write(d.Cert(identity.Name), "CERTIFICATE", der))
}

func template(identity Identity) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	cert := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: identity.User, Organization: identity.Groups},
		NotBefore:             now.Add(-time.Hour), // The clock may be set back.
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if identity.Name == CA {
		cert.IsCA, cert.KeyUsage, cert.ExtKeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature, nil
	}
	for _, host := range identity.Hosts {
		cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		if ip := net.ParseIP(host); ip != nil {
			cert.IPAddresses = append(cert.IPAddresses, ip)
		} else {
			cert.DNSNames = append(cert.DNSNames, host)
		}
	}
	return cert, nil
}

func (d Dir) authority() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certificate, err := read(d.Cert(CA))
	if err != nil {
		return nil, nil, err
	}
	secret, err := read(d.Key(CA))
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParseECPrivateKey(secret)
	return cert, key, err
}

// Kubeconfig renders a kubeconfig with everything inside, for one identity at one server.
func (d Dir) Kubeconfig(name, server string) ([]byte, error) {
	var encoded [3]string
	for i, path := range []string{d.Cert(CA), d.Cert(name), d.Key(name)} {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("writing the kubeconfig of %s: %w", name, err)
		}
		encoded[i] = base64.StdEncoding.EncodeToString(content)
	}
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: odi
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: %s
  user:
    client-certificate-data: %s
    client-key-data: %s
contexts:
- name: odi
  context:
    cluster: odi
    user: %s
current-context: odi
`, server, encoded[0], name, encoded[1], encoded[2], name), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func write(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func read(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("reading %s: it is not PEM", path)
	}
	return block.Bytes, nil
}
