package answer

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	validFor  = regexp.MustCompile(`certificate is valid for (.+?), not `)
	notAfter  = regexp.MustCompile(`current time \S+ is after (\S+?)["\\]*$`)
	notBefore = regexp.MustCompile(`current time (\S+) is before`)
)

// securing are clues of TLS, and of its lack.
var securing = []clue{
	{all(because("its certificate is not valid at this time"), func(q question) bool { return notBefore.MatchString(q.Words) }), func(q question) string {
		return fmt.Sprintf("It begins in the future. The gateway's node has the time %s: if that is wrong, set its clock (NTP).", found(notBefore, q.Words))
	}},
	{because("its certificate is not valid at this time"), func(q question) string {
		ended := found(notAfter, q.Words)
		if ended == "" {
			ended = "some time ago"
		}
		return fmt.Sprintf("It ended %s: the backend has to renew it. If that is not over yet, the clock of the gateway's node is wrong.", ended)
	}},
	{because("its certificate is for another host"), func(q question) string {
		if names := found(validFor, q.Words); names != "" {
			return "Call it by a name that it has: " + names + "."
		}
		return "Call it by a name that is in its certificate, not by an address."
	}},
	{because("its certificate is signed by"), func(q question) string {
		if q.has("ca_pem") {
			return "Give its authority's certificate as ca_pem. Where no such authority was expected, a proxy on the way opens the connection."
		}
		return "A proxy on the way may open the connection: have it leave this host alone."
	}},
	{because("it asks for a client's certificate"), func(q question) string {
		for _, f := range q.Type.Fields {
			if strings.HasSuffix(f.Name, "cert_pem") {
				return "Give a client's certificate and key: " + f.Name + " and its key, as secrets."
			}
		}
		return "This type has no field for one: the types otlp and otlphttp have."
	}},
	{because("it does not speak TLS"), func(q question) string {
		return "It speaks plain text: write " + q.otherScheme() + " if that network is yours, or give it a certificate."
	}},
	{wantsTLS, func(q question) string { return "It speaks TLS: write " + q.otherScheme() + "." }},
	{because("TLS cannot"), always("It takes no version or cipher that the gateway has (TLS 1.2 and newer), or it does not know this host's name.")},
}

// wantsTLS is said by HTTP servers in words, and by others with an alert of TLS.
func wantsTLS(q question) bool {
	return q.plain() && (q.mentions("http request to an https server", "plain http request was sent to https port", "client sent an http request to an https") ||
		strings.Contains(q.Words, `\x15\x03`) || q.plainGRPC())
}

// plainGRPC is what a server that waits for a handshake makes of gRPC without one.
func (q question) plainGRPC() bool {
	return q.URL == "" && q.mentions("error reading server preface: eof", "error reading server preface: read tcp", "connection reset by peer")
}

// has says whether the type has a field.
func (q question) has(field string) bool {
	_, found := q.Type.Field(field)
	return found
}
