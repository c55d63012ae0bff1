package bpf

import "github.com/odi-dev/odi/bpf/handshake"

// Certificates are those that servers have shown in the clear, to targets or as targets, until
// ForgetCertificate.
func (e *Engine) Certificates() []handshake.Certificate {
	return e.handshakes().List()
}

// ForgetCertificate lets go of one.
func (e *Engine) ForgetCertificate(k handshake.CertificateKey) {
	e.handshakes().Forget(k)
}

func (e *Engine) handshakes() *handshake.Follower {
	f, ok := e.followers[handshake.Protocol.Code].(*handshake.Follower)
	if !ok {
		return &handshake.Follower{} // cannot happen: Load has begun it
	}
	return f
}
