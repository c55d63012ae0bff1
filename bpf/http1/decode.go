package http1

import (
	"bytes"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/web"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "http1", Code: 1, Decode: Decode, Names: Names}

// headMax is far more than the kernel keeps; longer input is cut.
const headMax = 16 << 10

// Decode reads the exchange into an empty span, whose texts share the exchange's
// bytes. The route is the caller's.
func Decode(x *probe.Exchange, span *probe.Span) {
	head := parseHead(withoutPreface(x.RequestHead, x.Preface), x.QueryKeys)
	head.Cut = isCut(x)
	if x.Preface != nil {
		head.Client = prefaceClient(x.Preface)
	}
	web.Put(span, x, &head)
}

// isCut says whether the target of the request was longer than what was kept.
func isCut(x *probe.Exchange) bool {
	return x.HeadTruncated && bytes.IndexByte(x.RequestHead, '\n') < 0
}
