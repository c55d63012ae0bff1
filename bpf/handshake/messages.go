package handshake

import (
	"bytes"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// Messages of a handshake (RFC 8446, 4; RFC 5246, 7.4).
const (
	clientHello       = 1
	serverHello       = 2
	serverCertificate = 11
)

// Extensions of hellos.
const (
	extensionServerName = 0
	extensionALPN       = 16
	extensionPSK        = 41
	extensionVersions   = 43
)

const (
	version12 = 0x0303
	version13 = 0x0304
	// nameMax is how long a name of DNS may be.
	nameMax = 253
	// alpnMax is longer than the names of protocols that are registered.
	alpnMax = 32
)

// hello is what a ServerHello says.
type hello struct {
	version, cipher uint16
	psk             bool // the session is an earlier one's (TLS 1.3)
	protocol        string
}

// message cuts the next message off, false where there is none. The last one may be cut.
func message(said *cryptobyte.String) (kind uint8, body cryptobyte.String, ok bool) {
	var size uint32
	if !said.ReadUint8(&kind) || !said.ReadUint24(&size) {
		return 0, nil, false
	}
	n := min(int(size), len(*said))
	body, *said = (*said)[:n], (*said)[n:]
	return kind, body, true
}

// extension cuts the next one off; a cut one is none.
func extension(from *cryptobyte.String) (kind uint16, value cryptobyte.String, ok bool) {
	ok = from.ReadUint16(&kind) && from.ReadUint16LengthPrefixed(&value)
	return kind, value, ok
}

// readServerName finds the name that a client asks for: empty where it names none, or what is no name.
func readServerName(said []byte) string {
	var skipped, name cryptobyte.String
	rest := cryptobyte.String(said)
	kind, body, ok := message(&rest)
	if !ok || kind != clientHello || !body.Skip(2+32) ||
		!body.ReadUint8LengthPrefixed(&skipped) || !body.ReadUint16LengthPrefixed(&skipped) ||
		!body.ReadUint8LengthPrefixed(&skipped) || !body.Skip(2) {
		return ""
	}
	for {
		is, value, ok := extension(&body)
		if !ok {
			return ""
		}
		if is != extensionServerName {
			continue
		}
		const hostName = 0
		var list cryptobyte.String
		var form uint8
		if !value.ReadUint16LengthPrefixed(&list) || !list.ReadUint8(&form) || form != hostName || !list.ReadUint16LengthPrefixed(&name) {
			return ""
		}
		return hostname(name)
	}
}

// hostname is the name in lower case; empty where it is none.
func hostname(name []byte) string {
	if len(name) > nameMax {
		return ""
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return ""
		}
	}
	return strings.ToLower(string(name))
}

// beginAgain is the random of a ServerHello that is none (RFC 8446, 4.1.3).
var beginAgain = [32]byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// readAnswer reads what a server has said: its hello, of which the second one counts where it has
// had the client begin again, and its certificate's bytes as far as they are there.
func readAnswer(said []byte) (h hello, certificate []byte) {
	rest := cryptobyte.String(said)
	for {
		kind, body, ok := message(&rest)
		if !ok {
			return h, certificate
		}
		switch kind {
		case serverHello:
			if next, ok := readServerHello(body); ok {
				h = next
			}
		case serverCertificate:
			certificate = firstCertificate(body)
		}
	}
}

func readServerHello(body cryptobyte.String) (h hello, ok bool) {
	var random []byte
	var session, extensions cryptobyte.String
	if !body.ReadUint16(&h.version) || !body.ReadBytes(&random, len(beginAgain)) ||
		!body.ReadUint8LengthPrefixed(&session) || !body.ReadUint16(&h.cipher) || !body.Skip(1) {
		return hello{}, false
	}
	if !body.Empty() && !body.Skip(2) {
		return hello{}, false
	}
	extensions = body
	for {
		kind, value, ok := extension(&extensions)
		if !ok {
			return h, h.version >= 0x0300 && h.version <= version13
		}
		switch kind {
		case extensionVersions:
			_ = value.ReadUint16(&h.version)
		case extensionPSK:
			h.psk = true
		case extensionALPN:
			h.protocol = readALPN(value)
		}
	}
}

// readALPN reads the protocol that a server has chosen; empty where it is no name of one.
func readALPN(value cryptobyte.String) string {
	var list, name cryptobyte.String
	if !value.ReadUint16LengthPrefixed(&list) || !list.ReadUint8LengthPrefixed(&name) || len(name) > alpnMax {
		return ""
	}
	if bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return string(name)
}

// firstCertificate is the server's own, as far as it is there.
func firstCertificate(body cryptobyte.String) []byte {
	const lengths = 3 + 3
	if len(body) < lengths {
		return nil
	}
	return body[lengths:]
}
