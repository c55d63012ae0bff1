package agentsextension

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"time"
)

const (
	// Path is where the table is put, and the counts are read.
	Path = "/v1/pods"
	// maxTable is several times what a full node takes.
	maxTable = 16 << 20
)

// Handler is what the odiglet reaches, once it was let in.
func (e *Extension) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT "+Path, e.put)
	mux.HandleFunc("GET "+Path, e.get)
	return mux
}

func (e *Extension) newServer() *http.Server {
	return &http.Server{
		Handler: e.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13,
			// Read at each connection: certificates and authorities are renewed.
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return e.config.tls() },
			GetCertificate:     func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("not used") },
		},
	}
}

// tls takes only who has a certificate of an odiglet's.
func (c *Config) tls() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	pem, err := os.ReadFile(c.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities of odiglets: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", c.ClientCAFile)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
		// Who is no longer trusted does not come back by an old session.
		SessionTicketsDisabled: true,
	}, nil
}

// put takes the table of the node.
func (e *Extension) put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTable))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	var table Table
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&table); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	x, err := newIndex(&table)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sum := sha256.Sum256(body)
	e.use(x, hex.EncodeToString(sum[:]))
	e.get(w, r)
}

// use begins to go by a table. What was counted of pods that are gone is forgotten.
func (e *Extension) use(x *index, hash string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.index, e.hash = x, hash
	maps.DeleteFunc(e.reported, func(uid string, _ map[string]uint64) bool { return x.pods[uid] == nil })
}

// get answers what was counted; it also says that the odiglet stands by its table.
func (e *Extension) get(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	e.heard = e.now()
	answer := e.answer()
	e.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // an error means that the odiglet is gone
}
