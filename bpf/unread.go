package bpf

import "time"

// readsTLS says whether probes are on a library that encrypts; Engine.mu is held.
func (t *target) readsTLS() bool { return t.tls != nil && len(t.tls.probes) > 0 }

// unread is when a target was first seen to encrypt, as long as nothing reads what; Engine.mu is held.
func (t *target) unread() time.Time {
	if t.tls == nil || t.readsTLS() {
		return time.Time{}
	}
	return t.tls.unread
}

// ReadBy names what encrypts for the process and is read; empty where nothing is.
func (s *TargetStatus) ReadBy() string {
	switch {
	case !s.TLS:
		return ""
	case s.Go || s.GoReason != "":
		return "crypto/tls"
	}
	return "OpenSSL"
}

// UnreadNote says that the process encrypts by what is not read, and what would show its requests; empty
// where it does not.
func (s *TargetStatus) UnreadNote() string {
	if s.Unread.IsZero() {
		return ""
	}
	return "encrypts since " + s.Unread.UTC().Format("2006-01-02 15:04:05 MST") +
		" by a library that is not read (OpenSSL and Go's crypto/tls are): these requests give no spans, only an OpenTelemetry agent or SDK in it can tell of them"
}
