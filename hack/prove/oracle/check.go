package oracle

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/hack/prove/script"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// Tolerance is how far a duration may be off, beside what the thread was kept
// waiting for a core.
const Tolerance = 5 * time.Millisecond

// kept is how much of a head ought to be kept.
const kept = 1000

// check compares one span with its request.
func (j *judge) check(i int, s *Span, t script.Times) {
	w := &j.wants[i]
	o := w.Client
	if s.Kind == probe.Server {
		o = w.Server
	}
	who := fmt.Sprintf("request %d (%.40s), %s span", i, w.Line, name(s.Kind))
	j.outcome(who, s, &o)
	j.bodies(who, s, w.ReqBody, o.RespBody)
	j.head(who, i, s)
	j.duration(who, s, t, o.Faults)
}

// outcome compares the status, and whether something went wrong.
func (j *judge) outcome(who string, s *Span, o *talk.Outcome) {
	side := name(s.Kind) + ": "
	if int(s.StatusCode) != o.Status && (!o.NoStatus || s.StatusCode != 0) {
		j.wrong(side+"status", "%s: status %d, want %d", who, s.StatusCode, o.Status)
	}
	if s.Error == probe.ErrorNone && o.Faults&talk.Fine == 0 && o.Status != 0 {
		j.wrong(side+"no error", "%s: no error, though the answer is not whole", who)
	}
	if s.Error != probe.ErrorNone && o.Faults&talk.Broken == 0 {
		j.wrong(side+"error", "%s: error %s, want none", who, s.Error)
	}
}

// bodies compares the sizes of the bodies. That of an answer may be unknown.
func (j *judge) bodies(who string, s *Span, request, response int64) {
	side := name(s.Kind) + ": "
	if s.RequestBodySize != request {
		j.wrong(side+"request body", "%s: request body of %d, want %d", who, s.RequestBodySize, request)
	}
	if response != talk.Unknown && s.ResponseBodySize != response {
		j.wrong(side+"response body", "%s: response body of %d, want %d", who, s.ResponseBodySize, response)
	}
}

// head compares the bytes that were kept.
func (j *judge) head(who string, i int, s *Span) {
	if !j.keeps(i, s) {
		j.wrong(name(s.Kind)+": head", "%s: another head was kept: %.300q", who, bytes.TrimLeft(s.RequestHead, "\r\n"))
	}
	if len(s.RequestHead) < min(len(j.wholeHead(i, s.Kind)), kept) {
		j.Cut++
	}
}

// keeps tells whether what a span keeps is the beginning of a request's head.
func (j *judge) keeps(i int, s *Span) bool {
	return bytes.HasPrefix(j.wholeHead(i, s.Kind), bytes.TrimLeft(s.RequestHead, "\r\n"))
}

// wholeHead is a request's head as a side has it: servers with the engine's header.
func (j *judge) wholeHead(i int, kind probe.Kind) []byte {
	want := j.wants[i].Head
	if header := j.headers[i]; header != "" && kind == probe.Server {
		line := bytes.IndexByte(want, '\n') + 1
		want = append(append(append([]byte{}, want[:line]...), "traceparent: "+header+"\r\n"...), want[line:]...)
	}
	return want
}

// duration compares with the clock of the process itself.
func (j *judge) duration(who string, s *Span, t script.Times, faults talk.Faults) {
	if t.BeginTo == 0 || t.FinishTo == 0 {
		return
	}
	got := int64(s.End.Sub(s.Start))
	least, most := bounds(s, t, faults)
	least, most = j.wider(s, t, faults == talk.Broken, least, most)
	off := max(got-most, least-got, 0)
	j.Deviation = append(j.Deviation, time.Duration(off))
	switch off -= int64(Tolerance) + t.Delay; {
	case off <= 0:
	case off <= int64(j.stolen):
		j.Stolen++
	default:
		j.wrong(name(s.Kind)+": duration", "%s: took %s, the process says %s to %s (kept waiting %s)", who, time.Duration(got), time.Duration(least), time.Duration(most), time.Duration(t.Delay))
	}
}

// wider widens the bounds, and counts it, where docs/seen.md says that a span begins or ends elsewhere.
func (j *judge) wider(s *Span, t script.Times, broke bool, least, most int64) (int64, int64) {
	got := int64(s.End.Sub(s.Start))
	if s.Kind == probe.Client && j.narrow && least-got > int64(Tolerance) {
		least = min(least, t.FinishTo-t.BeginTo)
		j.Waited++
	}
	if broke && j.untold && got-most > int64(Tolerance) {
		most = max(most, j.last-t.BeginFrom)
		j.Met++
	}
	return least, most
}

// bounds are how long the process says that a span lasted. A connection that broke,
// or may have, can have done so long before the process looked.
func bounds(s *Span, t script.Times, faults talk.Faults) (least, most int64) {
	// What is received is seen when the call ends. A request is seen before it is
	// sent, an answer while it is.
	least, most = t.FinishTo-t.BeginFrom, t.FinishTo-t.BeginFrom
	switch {
	case s.Kind == probe.Client && t.Inside: // of a call that had other bytes to send first
		least = t.FinishTo - t.BeginTo
	case s.Kind == probe.Server:
		least, most = t.FinishFrom-t.BeginTo, t.FinishTo-t.BeginTo
	}
	if faults&talk.Broken != 0 {
		least = 0
	}
	return least, most
}

// parents checks what the servers say of where their requests came from.
func (j *judge) parents(servers []*Span) {
	for i, s := range servers {
		if s == nil {
			continue
		}
		w, value := &j.wants[i], j.headers[i]
		if w.Trace != "" && !w.BadOwn {
			value = w.Trace
		}
		if j.headers[i] == "" && s.ParentSpanID != [8]byte{} && j.namesClient(i, s) {
			continue // told without a header, as through a unix socket
		}
		want := "00000000000000000"
		if value != "" {
			want = value[36:52]
			if got := fmt.Sprintf("%x", s.TraceID); got != value[3:35] {
				j.wrong("server: trace", "request %d: the server span is in trace %s, the header said %s", i, got, value)
			}
		}
		if got := fmt.Sprintf("%x", s.ParentSpanID); !strings.HasPrefix(want, got) {
			j.wrong("server: parent", "request %d: the server span's parent is %s, want %s", i, got, want)
		}
	}
}

// namesClient tells whether the server span's parent is the request's client span.
func (j *judge) namesClient(i int, s *Span) bool {
	return i < len(j.clients) && j.clients[i] != nil && j.clients[i].SpanID == s.ParentSpanID && j.clients[i].TraceID == s.TraceID
}

// propagation checks the headers against the client spans that they name.
func (j *judge) propagation(traced bool) {
	for i, header := range j.headers {
		j.presence(i, header, traced)
		if traced && j.clients[i] != nil {
			j.identity(i, header, j.clients[i])
		}
	}
}

// presence checks that only a watched client's request has a header, and counts
// those that ought to have one and have none.
func (j *judge) presence(i int, header string, traced bool) {
	w := &j.wants[i]
	switch {
	case header != "" && !traced:
		j.wrong("header of a stranger", "request %d: a header from a client that is not watched: %s", i, header)
	case header == "" && traced && w.Trace == "" && !w.BadOwn:
		j.NoHeader++
	}
}

// identity checks that a request's header names the client span s, and that the
// span is below what the application itself wrote.
func (j *judge) identity(i int, header string, s *Span) {
	w := &j.wants[i]
	if s.Injected != (header != "") && w.Trace == "" {
		j.wrong("client: injected", "request %d: the client span says that a header was written: %v, there is %q", i, s.Injected, header)
	}
	if !w.BadOwn && w.Trace != "" && fmt.Sprintf("%x", s.ParentSpanID) != w.Trace[36:52] {
		j.wrong("client: parent", "request %d: the client span's parent is %x, the application wrote %s", i, s.ParentSpanID, w.Trace)
	}
	if ids := fmt.Sprintf("%x-%x", s.TraceID, s.SpanID); header != "" && header[3:52] != ids {
		j.wrong("client: ids", "request %d: the header says %s, the client span is %s", i, header, ids)
	}
}
