package dns

import (
	"strconv"

	"github.com/odi-dev/odi/bpf/probe"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "dns", Code: 7, Decode: Decode, Follow: Follow, Apart: true}

// duration is where lookups are recorded.
var duration = &probe.Instrument{Name: "dns.lookup.duration", Description: "Measures the time taken to perform a DNS lookup."}

// kinds are the types of records that programs ask for.
var kinds = map[uint16]string{
	1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 35: "NAPTR", 64: "SVCB", 65: "HTTPS", 255: "ANY",
}

// codes are those of answers that are no success.
var codes = [...]string{"", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"}

// Decode reads the exchange into an empty span, which is only measured.
func Decode(x *probe.Exchange, span *probe.Span) {
	f, ok := readFacts(x.RequestHead)
	if !ok {
		return
	}
	kind := kinds[f.kind]
	if kind == "" {
		kind = "TYPE" + strconv.Itoa(int(f.kind))
	}
	span.Name = kind + " " + f.name
	span.Measured = true
	span.Instrument = duration
	span.LabelText("dns.question.name", f.name)
	span.PutEnds(x)
	if failed := errorOf(f.rcode); failed != "" {
		span.LabelText("error.type", failed)
		span.Failed = true
	}
}

func errorOf(rcode uint8) string {
	switch {
	case rcode == unanswered:
		return "timeout"
	case int(rcode) < len(codes):
		return codes[rcode]
	}
	return "RCODE" + strconv.Itoa(int(rcode))
}
