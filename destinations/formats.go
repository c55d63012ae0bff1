package destinations

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Format says what a field's value has to be, beyond a text. The collector finds
// out only when it starts, or when it sends.
type Format string

// The formats.
const (
	// FormatCertificate is one certificate or more in PEM.
	FormatCertificate Format = "certificate"
	// FormatHeader is the name of a header of HTTP, and of gRPC where it is lower case.
	FormatHeader Format = "header"
	// FormatKey is the private key of a certificate in PEM.
	FormatKey Format = "key"
	// FormatHost is a part of a host's name, such as a region or a tenant.
	FormatHost Format = "host"
	// FormatPath is one part of an address's path, such as a token.
	FormatPath Format = "path"
)

// The largest values. All Destinations share what the gateway is made of.
const (
	// longestValue is for words such as a region.
	longestValue = 256
	// longestAddress is more than any host and path that people use.
	longestAddress = 1024
	// longestSecret is what a server takes as a header: most refuse more than 8 KiB.
	longestSecret = 8 << 10
	// longestCertificate is the API's bound on a value: an authority and one above it.
	longestCertificate = 4 << 10
)

// header is a token of RFC 9110 of the characters that people use.
var header = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// pathPart has no character that an address gives a meaning to.
var pathPart = regexp.MustCompile(`^[A-Za-z0-9_~=-]([A-Za-z0-9._~=-]*[A-Za-z0-9_~=-])?$`)

// reservedHeaders are said by the exporter itself: a second one changes what the
// receiver makes of the request, or where it ends.
var reservedHeaders = []string{
	"connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive",
	"proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
}

// known says whether a field may be of that format; empty is any text.
func (f Format) known() bool {
	return f == "" || slices.Contains([]Format{FormatCertificate, FormatHeader, FormatKey, FormatHost, FormatPath}, f)
}

// pem says whether it is text of many lines, which no header carries.
func (f Format) pem() bool { return f == FormatCertificate || f == FormatKey }

// Pattern is what every value of the format matches that is not empty; it can be more than what the check takes.
func (f Format) Pattern() string {
	switch f {
	case FormatCertificate:
		return `^\s*(-----BEGIN CERTIFICATE-----|$)`
	case FormatHeader:
		return "^$|" + header.String()
	case FormatHost:
		return "^[A-Za-z0-9_.-]*$"
	case FormatPath:
		return "^$|" + pathPart.String()
	}
	return ""
}

func (f Format) check(value string) error {
	switch f {
	case FormatCertificate:
		return checkCertificates(value)
	case FormatKey:
		return checkKey(value)
	case FormatHeader:
		return checkHeader(value)
	case FormatHost:
		if !isHostPart(value) {
			return errors.New("it is letters, digits and dashes, with dots between")
		}
	case FormatPath:
		if !pathPart.MatchString(value) {
			return errors.New("it is letters, digits, dashes, dots and underscores")
		}
	}
	return nil
}

// isHostPart takes what can stand before a domain.
func isHostPart(text string) bool {
	for l := range strings.SplitSeq(text, ".") {
		if !label.MatchString(l) {
			return false
		}
	}
	return true
}

// checkKey reads what a TLS client reads, and shows nothing of it.
func checkKey(text string) error {
	block, rest := pem.Decode(bytes.TrimSpace([]byte(text)))
	switch {
	case block == nil:
		return errors.New("it is not PEM: it begins with -----BEGIN PRIVATE KEY-----")
	case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return errors.New("it is PEM, but not a PRIVATE KEY")
	case strings.Contains(block.Type, "ENCRYPTED"), block.Headers["DEK-Info"] != "":
		return errors.New("it is encrypted; odi has no password for it")
	case len(bytes.TrimSpace(rest)) > 0:
		return errors.New("there is more than one key in it")
	}
	_, pkcs8 := x509.ParsePKCS8PrivateKey(block.Bytes)
	_, pkcs1 := x509.ParsePKCS1PrivateKey(block.Bytes)
	_, ec := x509.ParseECPrivateKey(block.Bytes)
	if pkcs8 != nil && pkcs1 != nil && ec != nil {
		return errors.New("it cannot be read as a private key")
	}
	return nil
}

func checkHeader(name string) error {
	lower := strings.ToLower(name)
	switch {
	case !header.MatchString(name):
		return errors.New("a header's name is letters, digits, dashes, dots and underscores")
	case slices.Contains(reservedHeaders, lower), strings.HasPrefix(lower, "grpc-"), strings.HasPrefix(lower, "odi-"):
		return fmt.Errorf("%s is a header that odi sends itself", lower)
	case strings.HasSuffix(lower, "-bin"):
		return errors.New("gRPC takes what ends in -bin for bytes")
	}
	return nil
}

// checkCertificates reads what a TLS client would skip in silence.
func checkCertificates(text string) error {
	rest := bytes.TrimSpace([]byte(text))
	for n := 1; ; n++ {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case n == 1 && (block == nil || !strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN ")):
			return errors.New("it is not PEM: it begins with -----BEGIN CERTIFICATE----- and ends with -----END CERTIFICATE-----")
		case block == nil:
			return fmt.Errorf("what comes after certificate %d is not PEM", n-1)
		case block.Type != "CERTIFICATE":
			return fmt.Errorf("part %d is a %s, not a CERTIFICATE", n, shortened(block.Type))
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("certificate %d cannot be read: %w", n, err)
		}
		if rest = bytes.TrimSpace(rest); len(rest) == 0 {
			return nil
		}
		if !bytes.HasPrefix(rest, []byte("-----BEGIN ")) {
			return fmt.Errorf("there is more than certificates after certificate %d", n)
		}
	}
}

// longest is the bound on a field's value.
func (f Field) longest() int {
	switch {
	case f.Address != "":
		return longestAddress
	case f.Secret:
		return longestSecret
	case f.Format.pem():
		return longestCertificate
	}
	return longestValue
}

func (f Field) checkLength(value string) error {
	if longest := f.longest(); len(value) > longest {
		return fmt.Errorf("it has %d bytes, and %d are the most", len(value), longest)
	}
	return nil
}
