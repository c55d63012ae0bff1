package handshake

import (
	"crypto/tls"
	"strconv"

	"github.com/odi-dev/odi/bpf/probe"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "handshake", Code: 8, Decode: Decode, Follow: Follow, Apart: true}

// Where handshakes are recorded, by the side that the process was on.
var (
	clients = &probe.Instrument{Name: "odi.tls.client.handshake.duration", Description: "Duration of TLS handshakes of clients, from the ClientHello on."}
	servers = &probe.Instrument{Name: "odi.tls.server.handshake.duration", Description: "Duration of TLS handshakes of servers, from the ClientHello on."}
)

// Decode reads the exchange into an empty span, which is only measured.
func Decode(x *probe.Exchange, span *probe.Span) {
	f, ok := readFacts(x.RequestHead)
	if !ok {
		return
	}
	span.Name = "TLS " + f.kind.String()
	span.Measured = true
	span.Instrument = servers
	if x.Kind == probe.Client {
		span.Instrument = clients
	}
	if f.version != 0 {
		span.LabelText("tls.protocol.version", versionOf(f.version))
		span.LabelText("tls.cipher", cipherOf(f.cipher))
		span.LabelText("odi.tls.handshake.kind", f.kind.String())
	}
	if f.protocol != "" {
		span.LabelText("tls.next_protocol", f.protocol)
	}
	putServer(x, &f, span)
	if f.ended == endedDone {
		return
	}
	span.Failed = true
	span.LabelText("error.type", f.errorType(x.Error))
	if f.ended == endedAlert || f.ended == endedSecretAlert {
		span.LabelText("odi.tls.alert.sender", sender(f.byClient))
	}
}

// putServer adds who was asked: a client's server by the name that it was asked for, or else by its address.
func putServer(x *probe.Exchange, f *facts, span *probe.Span) {
	at := x.Local
	if x.Kind == probe.Client {
		at = x.Peer
		if f.name == "" && at.IsValid() {
			f.name = at.Addr().String()
		}
	}
	if f.name != "" {
		span.LabelText("server.address", f.name)
	}
	if at.Port() != 0 {
		span.LabelNumber("server.port", int64(at.Port()))
	}
}

func sender(client bool) string {
	if client {
		return "client"
	}
	return "server"
}

func (f *facts) errorType(fault probe.ErrorKind) string {
	switch f.ended {
	case endedAlert:
		return alertOf(f.alert)
	case endedSecretAlert:
		return "encrypted_alert"
	case endedOther:
		return "not_tls"
	}
	if fault == probe.ErrorNone {
		fault = probe.ErrorClosed
	}
	return fault.String()
}

// versionOf is the number of a version, as tls.protocol.version has it.
func versionOf(version uint16) string {
	switch version {
	case version13:
		return "1.3"
	case version12:
		return "1.2"
	case tls.VersionTLS11:
		return "1.1"
	case tls.VersionTLS10:
		return "1.0"
	}
	return "0x" + strconv.FormatUint(uint64(version), 16)
}
