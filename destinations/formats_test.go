package destinations

import (
	"cmp"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/peers"
)

// TestFormats holds for every field of every type that has a format what becomes of what people paste.
func TestFormats(t *testing.T) {
	cert := peers.SelfSigned(t)
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}))
	tests := map[string]struct {
		format     Format
		value, why string // no why: it is taken
	}{
		"a certificate":                  {FormatCertificate, cert, ""},
		"with white space around":        {FormatCertificate, "\n " + cert + "\n\n", ""},
		"two":                            {FormatCertificate, cert + cert, ""},
		"a header of PEM alone":          {FormatCertificate, "-----BEGIN CERTIFICATE-----", "it is not PEM"},
		"a header of PEM and garbage":    {FormatCertificate, "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", "certificate 1 cannot be read"},
		"garbage after one":              {FormatCertificate, cert + "garbage", "more than certificates after certificate 1"},
		"a cut one after one":            {FormatCertificate, cert + cert[:len(cert)-30], "what comes after certificate 1 is not PEM"},
		"a bad one after one":            {FormatCertificate, cert + "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", "certificate 2 cannot be read"},
		"text before one":                {FormatCertificate, "garbage\n" + cert, "it is not PEM"},
		"a key":                          {FormatCertificate, key, "part 1 is a PRIVATE KEY"},
		"a file":                         {FormatCertificate, "/proc/1/environ", "it is not PEM"},
		"a reference":                    {FormatCertificate, "${env:HOME}", "it is not PEM"},
		"more than there is room for":    {FormatCertificate, strings.Repeat(cert, 20), "are the most"},
		"a header":                       {FormatHeader, "x-api-key", ""},
		"a header with a space":          {FormatHeader, "x api", "is letters, digits"},
		"a header with a line break":     {FormatHeader, "x\r\nhost", "is letters, digits"},
		"a header with a colon":          {FormatHeader, ":path", "is letters, digits"},
		"a header that gRPC reserves":    {FormatHeader, "grpc-timeout", "a header that odi sends itself"},
		"a header that HTTP reserves":    {FormatHeader, "transfer-encoding", "a header that odi sends itself"},
		"a header of bytes":              {FormatHeader, "key-bin", "for bytes"},
		"a header of odi's own":          {FormatHeader, "odi-hop", "a header that odi sends itself"},
		"a header longer than any other": {FormatHeader, strings.Repeat("x", 300), "256 are the most"},
		"a part of a host":               {FormatHost, "eu-west-1", ""},
		"two parts of a host":            {FormatHost, "abc.eu", ""},
		"another host":                   {FormatHost, "evil.com/", "letters, digits and dashes"},
		"another host by a query":        {FormatHost, "evil.com?", "letters, digits and dashes"},
		"a user before a host":           {FormatHost, "me@evil.com", "letters, digits and dashes"},
		"a host and port":                {FormatHost, "evil.com:80", "letters, digits and dashes"},
		"nothing between dots":           {FormatHost, "a..b", "letters, digits and dashes"},
		"a host with a line break":       {FormatHost, "a\nb", "letters, digits and dashes"},
		"a reference in a host":          {FormatHost, "${env:HOME}", "letters, digits and dashes"},
		"a part of a path":               {FormatPath, "default_2", ""},
		"a token of base64 in a path":    {FormatPath, "ZaVnC4dh_-aV==", ""},
		"a way up":                       {FormatPath, "..", "letters, digits, dashes"},
		"two parts of a path":            {FormatPath, "a/b", "letters, digits, dashes"},
		"an escape in a path":            {FormatPath, "a%2fb", "letters, digits, dashes"},
		"a query in a path":              {FormatPath, "a?b", "letters, digits, dashes"},
		"a key that is none":             {FormatKey, key, "cannot be read as a private key"},
		"a certificate for a key":        {FormatKey, cert, "not a PRIVATE KEY"},
		"no key at all":                  {FormatKey, "hunter2", "it is not PEM"},
		"an encrypted key":               {FormatKey, strings.ReplaceAll(key, "PRIVATE", "ENCRYPTED PRIVATE"), "it is encrypted"},
	}
	tried := map[Format]bool{}
	for _, typ := range allTypes(t) {
		for _, f := range typ.Fields {
			if f.Name == "ca_pem" && f.Format != FormatCertificate || f.Name == "header_name" && f.Format != FormatHeader {
				t.Errorf("%s: %s does not say its format", typ.Name, f.Name)
			}
			for name, tc := range tests {
				if tc.format != f.Format {
					continue
				}
				tried[f.Format] = true
				if f.Pattern != "" && tc.why == "" {
					continue
				}
				err := checkOne(typ, f, tc.value)
				switch {
				case tc.why == "" && err != nil:
					t.Errorf("%s, %s: %v", typ.Name, name, err)
				case tc.why != "" && (err == nil || !strings.HasPrefix(err.Error(), f.Name+": ") || !strings.Contains(err.Error(), tc.why)):
					t.Errorf("%s, %s: got %v, want a refusal of %s with %q", typ.Name, name, err, f.Name, tc.why)
				}
			}
		}
	}
	if len(tried) != 5 {
		t.Errorf("only %v were tried", tried)
	}
}

// checkOne judges one value of a Destination that is valid but for it.
func checkOne(typ Type, f Field, value string) error {
	if f.Secret {
		return typ.CheckSecrets(map[string]string{f.Name: value})
	}
	config, secrets := typ.Samples(false)
	config[f.Name] = value
	need := f
	for range typ.Fields { // They may need each other.
		need, _ = typ.Field(need.Needs)
		switch {
		case need.Secret:
			secrets = append(secrets, need.Name)
		case need.Name != "" && need.Address == "":
			config[need.Name] = cmp.Or(config[need.Name], "x")
		case need.Name != "":
			config[need.Name] = cmp.Or(config[need.Name], "https://idp.example.com/token")
		}
	}
	return typ.Check(config, secrets)
}

// TestAClientsCertificateAndItsKeyBelongTogether: a pair that does not fit would not start.
func TestAClientsCertificateAndItsKeyBelongTogether(t *testing.T) {
	typ, err := Get("otlphttp")
	if err != nil {
		t.Fatal(err)
	}
	cert, key := peers.Pair(t)
	_, other := peers.Pair(t)
	if err := typ.CheckSecrets(map[string]string{"client_cert_pem": cert, "client_key_pem": key}); err != nil {
		t.Errorf("a pair: %v", err)
	}
	err = typ.CheckSecrets(map[string]string{"client_cert_pem": cert, "client_key_pem": other})
	if err == nil || err.Error() != "client_key_pem: it is not the key of client_cert_pem" {
		t.Errorf("another's key: got %v", err)
	}
}

// TestNoValueIsWithoutABound: all Destinations share what the gateway is made of.
func TestNoValueIsWithoutABound(t *testing.T) {
	huge := strings.Repeat("a", 1<<16)
	for _, typ := range allTypes(t) {
		for _, f := range typ.Fields {
			var err error
			if f.Secret {
				err = typ.CheckSecrets(map[string]string{f.Name: huge})
			} else {
				err = typ.Check(map[string]string{f.Name: huge}, nil)
			}
			if err == nil || !strings.Contains(err.Error(), f.Name+": ") || len(err.Error()) > 2000 {
				t.Errorf("%s: 64 KiB as %s: got %.2000v", typ.Name, f.Name, err)
			}
		}
	}
}

func TestHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"host": true, "host.": true, "a_b.example.com": true, "127.0.0.1": true, "fe80::1": true, "s3": true, "x.y2": true,
		"": false, ".": false, "a..b": false, "%zz": false, "a b": false, "-a": false, "a$b": false, "{{host}}": false,
		"2130706433": false, "0x7f000001": false, "127.1": false, "0x7f.1": false, "fe80::1%eth0": false,
		strings.Repeat("a", 64): false, strings.Repeat("a.", 200): false, "ho\u200bst": false,
	} {
		if got := isHost(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func allTypes(t *testing.T) []Type {
	t.Helper()
	types, err := Types()
	if err != nil {
		t.Fatal(err)
	}
	return types
}
