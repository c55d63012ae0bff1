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
	ssl30     = 0x0300
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

// skip passes over n bytes and some values with their lengths. False: one is cut.
func skip(from *cryptobyte.String, n int, lengthPrefixed ...func(*cryptobyte.String, *cryptobyte.String) bool) bool {
	var skipped cryptobyte.String
	if !from.Skip(n) {
		return false
	}
	for _, read := range lengthPrefixed {
		if !read(from, &skipped) {
			return false
		}
	}
	return true
}

// readServerName finds the name that a client asks for: empty where it names none, or what is no name.
func readServerName(said []byte) string {
	const fixed = 2 + 32 // version, random
	by8, by16 := (*cryptobyte.String).ReadUint8LengthPrefixed, (*cryptobyte.String).ReadUint16LengthPrefixed
	rest := cryptobyte.String(said)
	kind, body, ok := message(&rest)
	if !ok || kind != clientHello || !skip(&body, fixed, by8, by16, by8) || !body.Skip(2) { // session, ciphers, compression
		return ""
	}
	for {
		is, value, ok := extension(&body)
		if !ok {
			return ""
		}
		if is == extensionServerName {
			return readHostname(value)
		}
	}
}

// readHostname reads the first of the names that a client asks for.
func readHostname(value cryptobyte.String) string {
	const hostName = 0
	var list, name cryptobyte.String
	var form uint8
	if !value.ReadUint16LengthPrefixed(&list) || !list.ReadUint8(&form) || form != hostName || !list.ReadUint16LengthPrefixed(&name) {
		return ""
	}
	return hostname(name)
}

// hostname is the name in lower case; empty where it is none.
func hostname(name []byte) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
	isOther := func(r rune) bool { return !strings.ContainsRune(letters, r) }
	if len(name) > nameMax || bytes.ContainsFunc(name, isOther) {
		return ""
	}
	return strings.ToLower(string(name))
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
	var session cryptobyte.String
	if !body.ReadUint16(&h.version) || !body.ReadBytes(&random, 32) ||
		!body.ReadUint8LengthPrefixed(&session) || !body.ReadUint16(&h.cipher) || !body.Skip(1) {
		return hello{}, false
	}
	if body.Skip(2) { // there are extensions
		h.extended(body)
	}
	return h, h.version >= ssl30 && h.version <= version13
}

// extended takes what the extensions of a ServerHello say.
func (h *hello) extended(extensions cryptobyte.String) {
	for {
		kind, value, ok := extension(&extensions)
		if !ok {
			return
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
