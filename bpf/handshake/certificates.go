package handshake

import (
	"sync"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// certificatesMax bounds the servers of a node whose certificates are known; the one that was
// seen least recently gives way.
const certificatesMax = 2048

// CertificateKey is whose process has seen a certificate, and of which server.
type CertificateKey struct {
	// Name is what the client has asked for, or the server's address; empty: a server that was
	// asked for no name.
	Name string
	PID  uint32
	Port uint16
	Kind probe.Kind
}

// Certificate is a server's, as it was seen last.
type Certificate struct {
	CertificateKey
	Expires time.Time
	Seen    time.Time
}

// Certificates are those that servers have shown in the clear. They may be used by several goroutines.
type Certificates struct {
	mu  sync.Mutex
	all map[CertificateKey]Certificate
}

// note keeps what a handshake has shown.
func (c *Certificates) note(x *probe.Exchange, name string, expires time.Time) {
	key := CertificateKey{Name: name, PID: x.PID, Port: x.Local.Port(), Kind: x.Kind}
	if x.Kind == probe.Client {
		key.Port = x.Peer.Port()
		if name == "" && x.Peer.IsValid() {
			key.Name = x.Peer.Addr().String()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[CertificateKey]Certificate)
	}
	if _, known := c.all[key]; !known && len(c.all) >= certificatesMax {
		delete(c.all, c.oldest())
	}
	c.all[key] = Certificate{key, expires, x.End}
}

func (c *Certificates) oldest() (key CertificateKey) {
	var seen time.Time
	for k, one := range c.all {
		if seen.IsZero() || one.Seen.Before(seen) {
			key, seen = k, one.Seen
		}
	}
	return key
}

// List returns all of them, in no order.
func (c *Certificates) List() []Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Certificate, 0, len(c.all))
	for _, one := range c.all {
		all = append(all, one)
	}
	return all
}

// Forget lets go of one.
func (c *Certificates) Forget(key CertificateKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, key)
}
