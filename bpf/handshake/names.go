package handshake

import (
	"crypto/tls"
	"fmt"
	"strings"
)

// others are cipher suites that Go does not know and others speak, by IANA's registry.
var others = map[uint16]string{
	0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", 0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
	0x003d: "TLS_RSA_WITH_AES_256_CBC_SHA256", 0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", 0x006b: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
	0x008c: "TLS_PSK_WITH_AES_128_CBC_SHA", 0x008d: "TLS_PSK_WITH_AES_256_CBC_SHA",
	0x009e: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009f: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
	0x00a8: "TLS_PSK_WITH_AES_128_GCM_SHA256", 0x00a9: "TLS_PSK_WITH_AES_256_GCM_SHA384",
	0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
	0xc024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", 0xc028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
	0xc09c: "TLS_RSA_WITH_AES_128_CCM", 0xc09d: "TLS_RSA_WITH_AES_256_CCM", 0xc09e: "TLS_DHE_RSA_WITH_AES_128_CCM", 0xc09f: "TLS_DHE_RSA_WITH_AES_256_CCM",
	0xc0ac: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", 0xc0ad: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
	0xc0ae: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", 0xc0af: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
	0xccaa: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xccab: "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256",
	0xccac: "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
}

// cipherOf is the name of a cipher suite, or its number in hexadecimal digits.
func cipherOf(id uint16) string {
	if name := others[id]; name != "" {
		return name
	}
	return tls.CipherSuiteName(id)
}

// alerts are the descriptions of alerts (RFC 8446, 6; RFC 5246, 7.2).
var alerts = map[uint8]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
	30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate", 43: "unsupported_certificate",
	44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
	49: "access_denied", 50: "decode_error", 51: "decrypt_error", 60: "export_restriction", 70: "protocol_version",
	71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
	109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
	113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity", 116: "certificate_required",
	120: "no_application_protocol", 121: "ech_required",
}

func alertOf(description uint8) string {
	if name := alerts[description]; name != "" {
		return name
	}
	return fmt.Sprintf("alert_%d", description)
}

const (
	// namesMax bounds the names of one server's that are told apart: who asks may send any.
	namesMax = 100
	// namersMax bounds the processes; all begin anew when there are more.
	namersMax = 1024
	// otherName stands for the names beyond.
	otherName = "other"
)

// names are those that servers have answered to, by process.
type names map[uint32]map[string]bool

// bounded returns the name, or what stands for it. Only one that was answered to is a new one.
func (n names) bounded(pid uint32, name string, answered bool) string {
	of := n[pid]
	if name == "" || of[name] {
		return name
	}
	if !answered || len(of) >= namesMax {
		return otherName
	}
	if of == nil {
		if len(n) >= namersMax {
			clear(n)
		}
		of = make(map[string]bool)
		n[pid] = of
	}
	name = strings.Clone(name)
	of[name] = true
	return name
}
