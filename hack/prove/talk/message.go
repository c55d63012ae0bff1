package talk

import (
	"bytes"
	"fmt"
	"strings"
)

// Request is one request, so far as bytes tell.
type Request struct {
	Lead    int // empty lines before it
	Method  string
	Target  string
	Version string
	Lines   []string // header lines without the ends
	BareLF  bool     `json:",omitempty"`
	Body    Body
	Trace   string `json:",omitempty"` // the application's own traceparent, which is among Lines
	BadOwn  bool   `json:",omitempty"` // ... and is not valid
}

// Answer is one answer with the interim ones before it.
type Answer struct {
	Interim []int `json:",omitempty"`
	Version string
	Status  int
	Reason  string
	Lines   []string
	BareLF  bool `json:",omitempty"`
	Body    Body
	Bare    bool `json:",omitempty"` // the head speaks of a body that never comes: HEAD, 304
}

// Framing is how the end of a body is found.
type Framing string

// The ways to end a body.
const (
	NoBody     Framing = "none"
	Length     Framing = "length"
	Chunked    Framing = "chunked"
	UntilClose Framing = "close"
)

// Body is a body and the header line that announces it.
type Body struct {
	Framing  Framing
	Size     int
	Chunks   []int    `json:",omitempty"` // sizes; their sum is Size
	Line     string   `json:",omitempty"` // the framing's header line, %d is the size
	At       int      `json:",omitempty"` // where among the lines it stands
	Ext      bool     `json:",omitempty"` // chunk extensions
	Zeros    int      `json:",omitempty"` // before each chunk's size
	Trailers []string `json:",omitempty"`
}

// part is a run of bytes; body says that any cut may come there and that it can be a file's.
type part struct {
	from, to int
}

// rendered is a message as bytes.
type rendered struct {
	raw      []byte
	line     int    // behind the first line
	head     int    // behind the head
	begin    int    // of the first line
	joints   []int  // where cuts hurt
	payloads []part // long runs that a file could hold
}

func (r Request) render() rendered {
	var m rendered
	nl := newline(r.BareLF)
	m.raw = append(m.raw, strings.Repeat("\r\n", r.Lead)...)
	m.begin = len(m.raw)
	m.raw = append(m.raw, r.firstLine()+nl...)
	m.line = len(m.raw)
	m.headAndBody(r.Lines, r.Body, nl, true)
	return m
}

func (r Request) firstLine() string { return r.Method + " " + r.Target + " " + r.Version }

func (a Answer) render() rendered {
	var m rendered
	nl := newline(a.BareLF)
	for _, status := range a.Interim {
		m.raw = fmt.Appendf(m.raw, "HTTP/1.1 %d Interim%s", status, nl)
		if status == 103 {
			m.raw = append(m.raw, "Link: </style.css>; rel=preload"+nl...)
		}
		m.raw = append(m.raw, nl...)
		m.joints = append(m.joints, len(m.raw))
	}
	m.begin = len(m.raw)
	m.raw = fmt.Appendf(m.raw, "%s %d", a.Version, a.Status)
	if a.Reason != "" {
		m.raw = append(m.raw, " "+a.Reason...)
	}
	m.raw = append(m.raw, nl...)
	m.line = len(m.raw)
	m.headAndBody(a.Lines, a.Body, nl, !a.Bare)
	return m
}

func newline(bare bool) string {
	if bare {
		return "\n"
	}
	return "\r\n"
}

func (m *rendered) headAndBody(lines []string, body Body, nl string, withBody bool) {
	all := lines
	if body.Line != "" {
		at := min(body.At, len(lines))
		all = append(append([]string{}, lines[:at]...), strings.ReplaceAll(body.Line, "%d", fmt.Sprint(body.Size)))
		all = append(all, lines[at:]...)
	}
	m.joints = append(m.joints, m.line)
	for _, l := range all {
		m.raw = append(m.raw, strings.ReplaceAll(l, "\n", nl)+nl...)
		m.joints = append(m.joints, len(m.raw))
	}
	m.raw = append(m.raw, nl...)
	m.head = len(m.raw)
	m.joints = append(m.joints, m.head)
	if withBody {
		m.body(body)
	}
}

func (m *rendered) body(b Body) {
	switch b.Framing {
	case Length, UntilClose:
		m.payload(b.Size)
	case Chunked:
		for i, size := range b.Chunks {
			m.raw = fmt.Appendf(m.raw, "%s%x", strings.Repeat("0", b.Zeros), size)
			if b.Ext {
				m.raw = append(m.raw, [...]string{";a", ";name=value", `;q="x;y"`, " "}[i%4]...)
			}
			m.raw = append(m.raw, "\r\n"...)
			m.joints = append(m.joints, len(m.raw))
			m.payload(size)
			m.raw = append(m.raw, "\r\n"...)
			m.joints = append(m.joints, len(m.raw))
		}
		m.raw = append(m.raw, "0\r\n"...)
		for _, t := range b.Trailers {
			m.raw = append(m.raw, t+"\r\n"...)
		}
		m.raw = append(m.raw, "\r\n"...)
	}
}

// filler looks like what bodies must not be taken for.
var filler = []byte("GET /not-a-request HTTP/1.1\r\nHost: body\r\n\r\nHTTP/1.1 500 No Answer\r\nContent-Length: 7\r\n\r\n0\r\n\r\n{\"json\": true}\x00\x01\xff")

func (m *rendered) payload(size int) {
	from := len(m.raw)
	for left := size; left > 0; {
		n := min(left, len(filler))
		m.raw = append(m.raw, filler[:n]...)
		left -= n
	}
	if size >= 512 {
		m.payloads = append(m.payloads, part{from, len(m.raw)})
	}
}

// join appends another message.
func (m *rendered) join(o rendered) {
	at := len(m.raw)
	for _, j := range o.joints {
		m.joints = append(m.joints, at+j)
	}
	for _, p := range o.payloads {
		m.payloads = append(m.payloads, part{at + p.from, at + p.to})
	}
	m.raw = append(m.raw, o.raw...)
	m.joints = append(m.joints, len(m.raw))
}

// cut returns the bytes of m between from and to with their joints.
func (m rendered) cut(from, to int) rendered {
	o := rendered{raw: bytes.Clone(m.raw[from:to])}
	for _, j := range m.joints {
		if j > from && j < to {
			o.joints = append(o.joints, j-from)
		}
	}
	for _, p := range m.payloads {
		if p.from >= from && p.to <= to {
			o.payloads = append(o.payloads, part{p.from - from, p.to - from})
		}
	}
	return o
}
