package http2

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// answerMax bounds what is kept of the header blocks of an answer.
const answerMax = 2 << 10

// stream is a request and its answer.
type stream struct {
	x      probe.Exchange
	asked  bool // its request has come; else its answer was read before
	tied   bool // its parent is that of who has asked for it, whoever has written it
	head   []byte
	answer []byte
}

// block handles a header block that is whole.
func (f *follower) block(c *conn, d *direction, event *probe.Exchange, handle func(*probe.Exchange)) {
	switch {
	case d.bits&notePromise != 0:
	case d == &c.server:
		f.answered(c, d, event, handle)
	case d.bits&noteNew != 0:
		f.asked(c, d, event, handle)
	}
}

// asked begins a request.
func (f *follower) asked(c *conn, d *direction, event *probe.Exchange, handle func(*probe.Exchange)) {
	c.newest = d.stream
	if d.broken {
		f.lose(event.PID, unparsable)
		f.forget(c, d.stream)
		return
	}
	s := c.streams[d.stream]
	if s == nil {
		if f.streams >= streamsMax || len(c.streams) >= ofConnMax {
			f.lose(event.PID, pipelined)
			return
		}
		s = f.begin(c, d.stream)
	} else if !s.asked {
		c.early--
	}
	answer := s.x
	s.asked, s.tied, s.x, s.head = true, d.bits&noteTied != 0, d.event, slices.Clone(d.fields.b)
	s.x.Answered, s.x.StatusCode, s.x.ResponseBodySize = answer.Answered, answer.StatusCode, answer.ResponseBodySize
	s.x.RequestBodySize, s.x.HeadTruncated = d.fields.length, d.fields.cut
	s.joinTrace(d.fields.trace)
	c.alone(d.stream, s)
	if d.fields.lacks() {
		f.lose(event.PID, joinedMidway)
	}
	if d.fields.isOpen() {
		s.head = appendField(s.head, fieldUnknown, "")
	}
	if !answer.End.IsZero() { // it was read before
		event.Start = answer.End
		f.finish(c, d.stream, event, handle)
	}
}

func (f *follower) begin(c *conn, id uint32) *stream {
	s := &stream{x: probe.Exchange{ResponseBodySize: -1}}
	c.streams[id] = s
	f.streams++
	return s
}

// joinTrace makes the request part of the trace that its header names. What a client
// was written by its application, whose trace counts.
func (s *stream) joinTrace(header string) {
	trace, parent, flags, ok := parseTrace(header)
	if !ok {
		return
	}
	s.x.TraceID, s.x.ParentSpanID, s.x.TraceFlags, s.x.Link = trace, parent, flags, probe.LinkHeader
}

// alone takes the parents away of requests that left with one call: whoever made it wrote
// for others too, and for whom is not known.
func (c *conn) alone(id uint32, s *stream) {
	for before := id - 2; ; before -= 2 {
		other := c.streams[before]
		if other == nil || !other.x.Start.Equal(s.x.Start) || other.x.TID != s.x.TID {
			return
		}
		other.orphan()
		s.orphan()
	}
}

// orphan begins a trace where the parent was found by who has written the request.
func (s *stream) orphan() {
	if s.tied || s.x.Kind != probe.Client || s.x.Link == probe.LinkNone || s.x.Link == probe.LinkHeader {
		return
	}
	for i := range s.x.TraceID {
		s.x.TraceID[i] = byte(rand.Uint32())
	}
	s.x.TraceID[15] |= 1
	s.x.ParentSpanID, s.x.Link = [8]byte{}, probe.LinkNone
}

// answered handles a header block of an answer: its head, or its trailers.
func (f *follower) answered(c *conn, d *direction, event *probe.Exchange, handle func(*probe.Exchange)) {
	s := c.streams[d.stream]
	if s == nil {
		s = f.early(c, d)
	}
	switch {
	case s == nil:
		return
	case d.broken:
		if s.asked {
			f.lose(event.PID, unparsable)
		}
		f.forget(c, d.stream)
		return
	}
	ends := d.bits&noteEndStream != 0
	s.keep(d, ends)
	if ends {
		f.finish(c, d.stream, event, handle)
	}
}

// keep keeps what a header block says of the answer.
func (s *stream) keep(d *direction, ends bool) {
	if s.x.Answered.IsZero() {
		s.x.Answered = d.event.Start
	}
	status := d.fields.status
	if status >= 100 && status < 200 && !ends {
		return // more comes
	}
	if status > 0 && status < 1000 {
		s.x.StatusCode = uint16(status)
		s.x.ResponseBodySize = d.fields.length
	}
	if len(s.answer)+len(d.fields.b) <= answerMax {
		s.answer = append(s.answer, d.fields.b...)
	}
}

// early begins a stream whose answer was read before its request was looked at, which
// only a client's can be; nil: nobody has asked for it.
func (f *follower) early(c *conn, d *direction) *stream {
	if d.event.Kind != probe.Client || d.stream <= c.newest || d.stream%2 == 0 || c.early >= earlyMax || f.streams >= streamsMax {
		return nil
	}
	c.early++
	return f.begin(c, d.stream)
}

// reset ends a stream before its time.
func (f *follower) reset(c *conn, n *note, event *probe.Exchange, handle func(*probe.Exchange)) {
	s := c.streams[n.stream]
	if s == nil {
		return
	}
	s.answer = appendField(s.answer, fieldReset, strconv.Itoa(int(n.code)))
	if n.byClient {
		s.answer = appendField(s.answer, fieldReader, "")
	}
	f.finish(c, n.stream, event, handle)
}

// goAway ends the requests that a server says that it has not looked at.
func (f *follower) goAway(c *conn, n *note, event *probe.Exchange, handle func(*probe.Exchange)) {
	if n.byClient {
		return
	}
	for id, s := range c.streams {
		if id <= n.stream || !s.asked {
			continue
		}
		s.answer = appendField(s.answer, fieldReset, strconv.Itoa(codeRefused))
		f.finish(c, id, event, handle)
	}
}

// finish ends a stream, and hands on its request if that has come.
func (f *follower) finish(c *conn, id uint32, event *probe.Exchange, handle func(*probe.Exchange)) {
	s := c.streams[id]
	if s == nil {
		return
	}
	s.x.End = event.Start
	if !s.asked {
		return // it will be looked at soon
	}
	f.forget(c, id)
	s.x.Answered, s.x.End = notBefore(s.x.Answered, s.x.Start), notBefore(s.x.End, s.x.Start)
	s.x.RequestHead, s.x.AnswerHead = s.head, s.answer
	handle(&s.x)
}

// notBefore returns the later of two times, unless the first is none.
func notBefore(t, begin time.Time) time.Time {
	if !t.IsZero() && t.Before(begin) {
		return begin
	}
	return t
}
