package http2

import (
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/odi-dev/odi/bpf/probe"
)

// turned begins a connection with the request of HTTP/1 whose answer has turned it to HTTP/2
// (RFC 7540, 3.2): that one is its first stream.
func (f *follower) turned(c *conn, n *note, event *probe.Exchange, handle func(*probe.Exchange)) {
	d := &c.client
	d.open, d.broken, d.stream, d.bits = false, false, n.stream, n.bits
	d.event = *event
	d.event.RequestHead, d.event.AnswerHead, d.event.Preface = nil, nil, nil
	d.fields.readHead(string(n.block))
	f.asked(c, d, event, handle)
}

// readHead reads the head of a request of HTTP/1 as if it were a header block. It may be cut
// anywhere: of a line that is, only the first one is kept.
func (f *fields) readHead(head string) {
	f.reset()
	line, rest, whole := strings.Cut(strings.TrimLeft(head, "\r\n"), "\n")
	method, target, _ := strings.Cut(strings.TrimRight(line, "\r"), " ")
	if i := strings.LastIndex(target, " HTTP/"); i >= 0 {
		target = target[:i]
	}
	f.take(hpack.HeaderField{Name: ":method", Value: method})
	f.take(hpack.HeaderField{Name: ":path", Value: target})
	f.cut = f.cut || !whole
	for {
		if line, rest, whole = strings.Cut(rest, "\n"); !whole {
			return
		}
		if name, value, ok := strings.Cut(line, ":"); ok && name != "" {
			f.take(hpack.HeaderField{Name: strings.ToLower(name), Value: strings.TrimSpace(value)})
		}
	}
}
