package export

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet/signal"
)

// transport carries encoded OTLP export requests of one signal. A failed send
// returns a *refusal; answer is the encoded export response otherwise. Where the body is
// still written when the answer has come, the batch's memory is held meanwhile.
type transport interface {
	send(ctx context.Context, b signal.Batch) (answer []byte, err error)
	close() error
}

// newTransport connects at the pace of b.
func newTransport(of *signal.Signal, s Settings, b Backoff) (transport, error) {
	config, err := s.tlsConfig()
	if err != nil {
		return nil, err
	}
	if s.Protocol == HTTPProtobuf {
		return newHTTPTransport(s, config), nil
	}
	return newGRPCTransport(of.Method, s, config, b)
}

func userAgent() string { return "odi/" + version.Version }

// TLS is how the receiver is talked to; nil for plaintext. Files are read as they are
// now, the client's certificate again for each connection.
func (s Settings) TLS() (*tls.Config, error) { return s.tlsConfig() }

// tlsConfig reads the certificate files as they are now; nil for plaintext.
func (s Settings) tlsConfig() (*tls.Config, error) {
	if s.Plaintext {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the OTLP certificate: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the OTLP certificate: %s holds no PEM certificate", s.CAFile)
		}
	}
	if s.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the OTLP client certificate: %w", err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			// Again for each connection: it may have been renewed.
			now, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
			if err != nil {
				return &pair, nil //nolint:nilerr // What was read before may still serve.
			}
			return &now, nil
		}
	}
	return config, nil
}
