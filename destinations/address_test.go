package destinations

import (
	"strings"
	"testing"
)

// TestAddresses holds for every field of every type that is an address what becomes of what people paste.
func TestAddresses(t *testing.T) {
	const refused = ""
	tests := map[string]struct {
		kind       Address // of which the row speaks; empty means every kind that takes data
		give, want string
		why        string // part of the refusal
	}{
		"as it should be":                  {"", "http://host:4317", "http://host:4317", ""},
		"a slash at the end":               {"", "http://host:4317/", "http://host:4317", ""},
		"two of them":                      {"", "https://host:1//", "https://host:1", ""},
		"no port":                          {AddressHTTP, "https://host", "https://host", ""},
		"no port for gRPC":                 {AddressGRPC, "https://host/", refused, "the port is missing: mostly it is https://host:4317"},
		"an address of IPv6":               {"", "http://[2001:db8::1]:4317", "http://[2001:db8::1]:4317", ""},
		"a base path":                      {AddressHTTP, "https://host/otlp", "https://host/otlp", ""},
		"a base path with a slash":         {AddressHTTP, "https://host/otlp/", "https://host/otlp", ""},
		"the path that the exporter adds":  {AddressHTTP, "https://host:4318/v1/traces", "https://host:4318", ""},
		"the same with a slash":            {AddressHTTP, "https://host/otlp/v1/metrics/", "https://host/otlp", ""},
		"a path that only looks like it":   {AddressHTTP, "https://host/v1/traces2", "https://host/v1/traces2", ""},
		"the same path for gRPC":           {AddressGRPC, "http://host:4317/v1/traces", refused, "a gRPC address ends after the port: leave /v1/traces away"},
		"no scheme":                        {"", "host:4317", refused, "the scheme is missing: write http://host:4317, or https://host:4317 for TLS"},
		"another scheme":                   {"", "grpc://host:4317", refused, "grpc:// is not a scheme of it"},
		"a query":                          {"", "https://host:4317?x=1", refused, "leave away what begins with ? or #"},
		"a password":                       {"", "https://me:hunter2@host:4317", refused, "do not belong into an address"},
		"white space":                      {"", "http://host:4317 ", refused, "no white space"},
		"a line break":                     {"", "http://host:4317\n", refused, "no white space"},
		"no host":                          {"", "http://:4317", refused, "the host is missing"},
		"a port that does not exist":       {"", "http://host:99999", refused, `the port "99999" is not between 1 and 65535`},
		"Jaeger's pages":                   {"", "http://host:16686", refused, "16686 is the port of Jaeger's pages, which takes no OTLP: mostly that is 431"},
		"Zipkin":                           {"", "http://host:9411/", refused, "9411 is the port of Zipkin"},
		"port 0":                           {"", "http://host:0", refused, `the port "0" is not between`},
		"a port that was forgotten":        {"", "http://host:", refused, `the port "" is not between`},
		"a port in words":                  {"", "http://host:otlp", refused, "it is no address"},
		"an escape that is none":           {AddressHTTP, "http://host/%zz", refused, "it is no address"},
		"a dollar sign stays one":          {AddressHTTP, "https://host/$x", "https://host/$$x", ""},
		"an exact one keeps its slash":     {AddressExact, "https://host/o/token/", "https://host/o/token/", ""},
		"an exact one keeps its path":      {AddressExact, "https://host:9411/v1/traces", "https://host:9411/v1/traces", ""},
		"an exact one without a scheme":    {AddressExact, "host/token", refused, "the scheme is missing"},
		"an exact one with a password":     {AddressExact, "https://me:hunter2@host/token", refused, "do not belong into an address"},
		"an exact one with a query":        {AddressExact, "https://host/token?x=1", refused, "leave away what begins with ? or #"},
		"a reference stays text, not more": {AddressHTTP, "https://host/${env:HOME}", "https://host/$${env:HOME}", ""},
	}
	seen := map[Address]bool{}
	for _, typ := range allTypes(t) {
		for _, f := range typ.Fields {
			if strings.HasSuffix(f.Name, "endpoint") && f.Address == "" {
				t.Errorf("%s: %s is an address and does not say so", typ.Name, f.Name)
			}
			if f.Address == "" {
				continue
			}
			seen[f.Address] = true
			for name, tc := range tests {
				if tc.kind != f.Address && (tc.kind != "" || f.Address == AddressExact) || f.Path != "" && tc.want != refused {
					continue
				}
				t.Run(typ.Name+" "+name, func(t *testing.T) {
					err := checkOne(typ, f, tc.give)
					if tc.want == refused {
						if err == nil || !strings.HasPrefix(err.Error(), f.Name+": ") || !strings.Contains(err.Error(), tc.why) {
							t.Errorf("got %v, want a refusal of %s with %q", err, f.Name, tc.why)
						}
						return
					}
					if err != nil && f.Address == AddressBase && strings.Contains(err.Error(), "the paths are added") {
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if got := typ.values(map[string]string{f.Name: tc.give}, nil)[f.Name].text; got != tc.want {
						t.Errorf("rendered as %v, want %s", got, tc.want)
					}
				})
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("only %v were tried", seen)
	}
}

// TestPathsAreAddedOnce holds what becomes of an address whose path people give, half or not at all.
func TestPathsAreAddedOnce(t *testing.T) {
	f := Field{Address: AddressHTTP, Path: "/api/v2/otlp"}
	for give, want := range map[string]string{
		"https://host":                           "https://host/api/v2/otlp",
		"https://host/":                          "https://host/api/v2/otlp",
		"https://host:9090":                      "https://host:9090/api/v2/otlp",
		"https://host/api/v2/otlp":               "https://host/api/v2/otlp",
		"https://host/api/v2/otlp/":              "https://host/api/v2/otlp",
		"https://host/api/v2/otlp/v1/traces":     "https://host/api/v2/otlp",
		"https://host/api":                       "https://host/api/v2/otlp",
		"https://host/api/v2":                    "https://host/api/v2/otlp",
		"https://host/proxy":                     "https://host/proxy/api/v2/otlp",
		"https://host/e/abc/api/v2/otlp/v1/logs": "https://host/e/abc/api/v2/otlp",
		"https://api":                            "https://api/api/v2/otlp",
		"https://host/v1/metrics":                "https://host/api/v2/otlp",
	} {
		if got := f.tidy(give); got != want {
			t.Errorf("%s: %s, want %s", give, got, want)
		}
	}
}

// TestSecretsAreJudgedAndNotShown tries every secret field of every type.
func TestSecretsAreJudgedAndNotShown(t *testing.T) {
	tests := map[string]struct{ value, why string }{
		"dollar signs":             {"a$$b${env:X}", ""},
		"braces and quotes":        {`{"k":['1']}`, ""},
		"what looks like a number": {"0123", ""},
		"what looks like YAML":     {"yes:#no", ""},
		"a line break within":      {"se\ncret", "line break"},
		"a carriage return":        {"se\rcret", "line break"},
		"a letter beyond ASCII":    {"sécret", "character 2 is not printable ASCII"},
		"a byte that is no letter": {"se\x00cret", "not printable ASCII"},
		"bytes that are no text":   {"se\xffcret", "not printable ASCII"},
	}
	tried := 0
	for _, typ := range allTypes(t) {
		for _, field := range typ.SecretFields() {
			f, _ := typ.Field(field)
			for name, tc := range tests {
				if tc.why == "" && (f.Format != "" || f.Pattern != "") {
					continue
				}
				if f.Format != "" {
					tc.why = "" // In words of that format.
				}
				tried++
				err := typ.CheckSecrets(map[string]string{field: tc.value, "unrelated": "x\ny"})
				switch {
				case tc.why == "" && f.Format == "" && err != nil:
					t.Errorf("%s, %s: %v", typ.Name, name, err)
				case f.Format != "" && err == nil:
					t.Errorf("%s, %s: it is taken for a %s", typ.Name, name, f.Format)
				case tc.why != "" && (err == nil || !strings.HasPrefix(err.Error(), field+": ") || !strings.Contains(err.Error(), tc.why)):
					t.Errorf("%s, %s: got %v, want a refusal of %s with %q", typ.Name, name, err, field, tc.why)
				case err != nil && strings.Contains(strings.TrimPrefix(err.Error(), field), "cret"):
					t.Errorf("%s, %s: the refusal shows the secret: %v", typ.Name, name, err)
				}
			}
		}
	}
	if tried == 0 {
		t.Error("no type has a secret")
	}
}

// TestUsualPorts: the port of the other protocol may be meant, so it is no refusal.
func TestUsualPorts(t *testing.T) {
	for _, tc := range []struct {
		kind  Address
		value string
		want  string
	}{
		{AddressGRPC, "http://host:4318", "this type speaks gRPC"}, {AddressHTTP, "http://host:4317/v1/traces", "this type speaks HTTP"},
		{AddressGRPC, "http://host:4317", ""}, {AddressHTTP, "http://host:4318", ""}, {"", "host:4318", ""}, {AddressGRPC, "::", ""},
	} {
		got := Field{Address: tc.kind}.UsualPortOfAnother(tc.value)
		if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s %s: got %q, want %q", tc.kind, tc.value, got, tc.want)
		}
	}
}
