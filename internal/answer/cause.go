package answer

import (
	"regexp"
	"slices"
	"strings"
)

// A sign in an error's text tells its cause.
type sign struct {
	text  string
	cause string
}

// signs in the order in which they are looked for. A backend can put what it
// likes into an error, and may be anybody's server: who names its address in a
// Destination learns one of these causes and not a word of its answer. The
// gateway's own log has the words.
var signs = []sign{
	{"address not allowed", "odi sends nothing to this address"},
	{"redirects are not followed", "it answers with a redirect, which is not followed"},
	{"read udp", unnamed},
	{"server misbehaving", unnamed},
	{"connection refused", "connection refused"},
	{"no such host", "no such host"},
	{"produced zero addresses", "no such host"},
	{"no children to pick from", "no such host"}, // gRPC's balancer, where the resolver had an error
	{"no route to host", "no route to the host"},
	{"network is unreachable", "no route to the host"},
	{"signed by unknown authority", "its certificate is signed by an authority that is not known here; ca_pem may name it"},
	{"certificate has expired", "its certificate is not valid at this time"},
	{"certificate is valid for", "its certificate is for another host"},
	{"is not valid for any names", "its certificate is for another host"},
	{"cannot validate certificate for", "its certificate is for another host"},
	{"certificate required", "it asks for a client's certificate"},
	{"x509:", "its certificate is not accepted"},
	{"first record does not look like a TLS handshake", "it does not speak TLS there; http:// is without"},
	{"server gave HTTP response to HTTPS client", "it does not speak TLS there; http:// is without"},
	{"tls:", "TLS cannot be agreed on with it"},
	{"use of closed network connection", "no answer in time"}, // gRPC gave up a connection that said nothing
	{"error reading server preface", "it does not speak gRPC there"},
	{"frame too large", "it does not speak gRPC there"},
	{"unexpected HTTP status code received from server", "it does not speak gRPC there"},
	{"malformed HTTP", "it does not speak HTTP there"},
	{"readLoopPeekFailLocked", "it does not speak HTTP there"}, // net/http, where the server spoke before it was asked
	{"deadline exceeded", "no answer in time"},
	{"DeadlineExceeded", "no answer in time"},
	{"i/o timeout", "no answer in time"},
	{"Client.Timeout", "no answer in time"},
	{"connection reset", "the connection was cut"},
	{"broken pipe", "the connection was cut"},
	{"EOF", "the connection was cut"},
	{"server closed idle connection", "the connection was cut"}, // before the request was written
	{"queue is full", "its queue is full"},
}

// unnamed: whether there is such a name is not known.
const unnamed = "its name cannot be looked up"

// answered finds the number of an HTTP answer or the name of a gRPC one.
var answered = regexp.MustCompile(`HTTP Status Code ([0-9]{3})\b|code = ([A-Z][A-Za-z0-9]{1,30})\b`)

// meanings of answers, by number or name.
var meanings = map[string]string{
	"400": "it takes the request for invalid", "InvalidArgument": "it takes the request for invalid",
	"401": "it refuses the credentials", "Unauthenticated": "it refuses the credentials",
	"403": "it refuses access with these credentials", "PermissionDenied": "it refuses access with these credentials",
	"404": "there is nothing that takes this signal", "NotFound": "there is nothing that takes this signal", "405": "there is nothing that takes this signal", "Unimplemented": "there is nothing that takes this signal",
	"407": "a proxy on the way asks for a login",
	"413": "it takes no batch of this size", "429": "it asks to send less", "ResourceExhausted": "it asks to send less, or takes no batch of this size",
	"500": "it has trouble of its own", "502": "it has trouble of its own", "503": "it has trouble of its own", "504": "it has trouble of its own",
	"Internal": "it has trouble of its own", "Unavailable": "it has trouble of its own", "Unknown": "it has trouble of its own",
}

// Cause is one of a few, whatever the words; empty for none.
func Cause(words string) string {
	if words == "" {
		return ""
	}
	if cause, about := tokenCause(words); about {
		return cause
	}
	for _, s := range signs {
		if strings.Contains(words, s.text) {
			return s.cause
		}
	}
	said := answered.FindStringSubmatch(words)
	if said == nil {
		return "it cannot be reached, or refuses the data"
	}
	return meaning(said[1] + said[2])
}

// meaning of the number or the name of an answer.
func meaning(name string) string {
	known, found := meanings[name]
	switch {
	case found:
		return known + " (" + name + ")"
	case name[0] >= '0' && name[0] <= '9':
		return refusal + " (" + name + ")"
	}
	return refusal // The name is the backend's own.
}

// refusal is what there is to say of an answer that nobody knows.
const refusal = "it refuses the data"

// lasting are beginnings of causes that waiting does not mend: the address, the
// credentials or the backend has to change.
var lasting = []string{
	"odi sends nothing to this address", "it answers with a redirect", "its certificate is signed by", "its certificate is for another host",
	"it asks for a client's certificate", "it does not speak", "it refuses the credentials", "it refuses access",
	"there is nothing that takes this signal",
}

// Lasts says whether a cause is one of them.
func Lasts(cause string) bool {
	return tokenLasts(cause) || slices.ContainsFunc(lasting, func(begin string) bool { return strings.HasPrefix(cause, begin) })
}
