package talk

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
)

// dice is a source of choices.
type dice struct {
	*rand.Rand
	calm int // how much seldomer what is odd happens
}

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0x0d1)), 1} }

// one in n.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

// odd is one in n, less in conversations that are to be nearly plain: where all
// odd things come together, nobody can tell which of them goes wrong.
func (d dice) odd(n int) bool { return d.one(n * d.calm) }

func pick[T any](d dice, all ...T) T { return all[d.IntN(len(all))] }

// size is mostly small, seldom near max: each power of ten is as likely as the others.
func (d dice) size(most int) int {
	limit := 10
	for limit < most && !d.one(3) {
		limit *= 10
	}
	return d.IntN(min(limit, most) + 1)
}

var (
	usual   = []string{"GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"}
	unusual = []string{"PROPFIND", "MKCOL", "REPORT", "M-SEARCH", "VERSION-CONTROL", "UPDATEREDIRECTREF", "BASELINE-CONTROL", "PURGE", "NOTIFY", "SUBSCRIBE", "get", "purge", "Query", "X_Y"}
)

func (d dice) request(id string) Request {
	r := Request{Method: pick(d, usual...), Version: "HTTP/1.1", BareLF: d.odd(20)}
	if d.odd(10) {
		r.Method = pick(d, unusual...)
	}
	if d.odd(30) {
		r.Lead = 1 + d.IntN(2)
	}
	r.Target = d.target(id)
	if r.Method == http.MethodOptions && d.one(3) {
		r.Target = "*"
	}
	r.Lines = d.lines("Host: prove.example", "User-Agent: prove/1")
	if !strings.Contains(r.Target, id) {
		r.Lines = append([]string{"X-Name: " + id}, r.Lines...) // something has to, in what is kept
	}
	if d.odd(25) {
		r.ownTrace(d)
	}
	if r.Method != http.MethodTrace {
		r.Body = d.body(len(r.Lines), r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions)
	} else {
		r.Body = Body{Framing: NoBody}
	}
	return r
}

func (d dice) target(id string) string {
	switch {
	case d.odd(40):
		return "/"
	case d.odd(40):
		return "http://prove.example/" + id
	}
	t := "/" + id
	if d.one(4) {
		t += "/" + strings.Repeat("deep/", d.IntN(20))
	}
	if d.one(4) {
		t += "?user=1&q=" + strings.Repeat("v", d.size(300))
	}
	if d.odd(15) {
		t += "?long=" + strings.Repeat("0123456789", d.size(6000))
	}
	return t
}

// lines are header lines in any order, with long ones before or behind.
func (d dice) lines(first ...string) []string {
	all := append([]string{}, first...)
	for range d.IntN(6) {
		all = append(all, d.header("X-"+pick(d, "Request-Kind", "Content-Length", "Transfer-Encoding", "Trace", "A", "Traceparent-Not"), strings.Repeat("f", d.size(300))))
	}
	if d.odd(6) {
		for range 1 + d.IntN(4) {
			all = append(all, "Cookie: "+strings.Repeat("c=0123456789; ", d.size(1100)))
		}
	}
	if d.odd(30) {
		all = append(all, "X-Folded: one,\n two,\n\tthree")
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// header writes a line with the blanks and the case that are allowed.
func (d dice) header(name, value string) string {
	if d.calm > 1 && !d.one(5) {
		return name + ": " + value
	}
	switch d.IntN(6) {
	case 0:
		name = strings.ToLower(name)
	case 1:
		name = strings.ToUpper(name)
	}
	before := pick(d, " ", " ", " ", " ", "", "  ", "\t", "     ", " \t ")
	behind := pick(d, "", "", "", "", "", " ", "\t", "  \t ")
	return name + ":" + before + value + behind
}

// ownTrace puts a traceparent of the application's own among the lines.
func (r *Request) ownTrace(d dice) {
	value := fmt.Sprintf("00-%016x%016x-%016x-0%d", d.Uint64()|1, d.Uint64(), d.Uint64()|1, d.IntN(2))
	if d.one(4) {
		r.BadOwn = true
		value = pick(d, "", "00-0-0-00", "nonsense", value[:54], "ff"+value[2:], "00-00000000000000000000000000000000-0000000000000001-01")
	}
	r.Trace = value
	at := d.IntN(len(r.Lines) + 1)
	line := d.header("traceparent", value)
	r.Lines = append(r.Lines[:at:at], append([]string{line}, r.Lines[at:]...)...)
}

// body makes a body whose line stands among n others; rare: mostly none.
func (d dice) body(n int, rare bool) Body {
	if rare && !d.odd(20) {
		return Body{Framing: NoBody}
	}
	b := Body{At: d.IntN(n + 1)}
	if d.one(3) {
		d.chunked(&b)
		return b
	}
	b.Framing = Length
	b.Size = d.size(100_000)
	if d.odd(60) {
		b.Size = d.IntN(5_000_000)
	}
	b.Line = d.header("Content-Length", "%d")
	switch {
	case d.odd(30):
		b.Line = "Content-Length: %d\nContent-Length: %d"
	case d.odd(40):
		b.Line = d.header("Content-Length", "%d, %d")
	case d.odd(40):
		b.Line = d.header("Content-Length", "000%d")
	}
	return b
}

func (d dice) chunked(b *Body) {
	b.Framing = Chunked
	b.Line = d.header("Transfer-Encoding", pick(d, "chunked", "chunked", "chunked", "Chunked", "gzip, chunked", "gzip,chunked"))
	switch {
	case d.odd(20):
		b.Line = "Transfer-Encoding: gzip,\n chunked"
	case d.odd(20):
		b.Line = "Transfer-Encoding: gzip\nTransfer-Encoding: chunked"
	}
	count, most := 1+d.size(20), 2000
	switch {
	case d.odd(8):
		count, most = 1+d.IntN(5000), 20
	case d.odd(40):
		count, most = 1+d.IntN(3), 1_000_000
	}
	for range count {
		size := 1 + d.size(most-1)
		b.Chunks = append(b.Chunks, size)
		b.Size += size
	}
	b.Ext = d.one(5)
	if d.odd(10) {
		b.Zeros = 1 + d.IntN(6)
	}
	if d.odd(6) {
		b.Trailers = []string{"X-Checksum: 1", "Content-Length: 5"}[:1+d.IntN(2)]
	}
}
