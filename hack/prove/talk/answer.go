package talk

import "net/http"

import "slices"

var statuses = []int{200, 200, 200, 200, 201, 206, 301, 304, 204, 205, 400, 404, 404, 429, 500, 502, 503, 599}

// answer makes an answer to r that leaves the connection open.
func (d dice) answer(r Request) Answer {
	a := Answer{Version: "HTTP/1.1", Status: pick(d, statuses...), BareLF: d.odd(20)}
	a.Reason = pick(d, "OK", "Whatever", "", "With Many Words In It")
	if d.odd(10) && r.Version == "HTTP/1.1" {
		a.Interim = pick(d, []int{100}, []int{103}, []int{102, 103, 103})
	}
	a.Lines = d.lines("Server: prove", "Date: Thu, 26 Nov 2026 00:00:00 GMT")
	a.Body = d.body(len(a.Lines), false)
	switch {
	case a.Status == 204:
		a.Body = Body{Framing: NoBody}
	case a.Status == 205:
		a.Body = Body{Framing: Length, Line: "Content-Length: 0"}
	case a.Status == 304, r.Method == http.MethodHead:
		a.Bare = true
	}
	if r.Version == "HTTP/1.0" && a.Body.Framing == Chunked {
		a.Body = Body{Framing: Length, Size: a.Body.Size, Line: "Content-Length: %d"}
	}
	return a
}

// untilClose makes the answer one that ends with the connection.
func (a *Answer) untilClose(d dice) {
	if a.Bare || a.Status == 204 || a.Status == 205 {
		a.Status, a.Bare = 200, false
	}
	a.Body = Body{Framing: UntilClose, Size: d.size(60_000)}
	if d.odd(10) {
		a.Body.Line = "Transfer-Encoding: gzip" // the last coding is not chunked
	}
	if d.one(3) {
		a.Version = "HTTP/1.0"
		a.Interim = nil
	}
	a.Lines = slices.DeleteFunc(a.Lines, func(l string) bool { return l == "Connection: keep-alive" })
}

// long gives the answer a body of at least size bytes with a known end.
func (a *Answer) long(d dice, size int) {
	if a.Bare || a.Status == 204 || a.Status == 205 {
		a.Status, a.Bare = 200, false
	}
	a.Body = Body{Framing: Length, Size: size, Line: "Content-Length: %d", At: d.IntN(len(a.Lines) + 1)}
	if d.one(3) {
		a.Body = Body{Framing: Chunked, Size: size, Line: "Transfer-Encoding: chunked", Chunks: []int{size / 2, size - size/2}}
	}
}
