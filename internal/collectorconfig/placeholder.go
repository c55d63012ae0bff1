package collectorconfig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"
)

// placeholderOf stands in for a secret of that key. The collector reads a client's
// certificate and its key as it starts, and both have to fit: odi has judged the
// user's own before (destinations.Type.CheckSecrets).
func placeholderOf(key string) (string, error) {
	switch {
	case strings.HasSuffix(key, "_CERT_PEM"):
		pair, err := placeholderPair()
		return pair[0], err
	case strings.HasSuffix(key, "_KEY_PEM"):
		pair, err := placeholderPair()
		return pair[1], err
	}
	return "placeholder", nil
}

// placeholderPair is a certificate and its key, which nobody trusts.
var placeholderPair = sync.OnceValues(func() (pair [2]string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair, fmt.Errorf("making a placeholder's key: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(10, 0, 0)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return pair, fmt.Errorf("making a placeholder's certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair, fmt.Errorf("making a placeholder's key: %w", err)
	}
	return [2]string{
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}, nil
})
