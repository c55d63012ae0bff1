package talk

import (
	"fmt"
	"net/http"
	"strings"
)

// End is how the connection ends, mostly by what happens to its last exchange.
type End string

// The ends of connections.
const (
	ClientCloses   End = "client closes"
	ServerCloses   End = "server closes"             // right behind the last answer
	FinInAnswer    End = "FIN in the answer"         // in the same segment
	BodyUntilClose End = "body until close"          //
	ResetAfter     End = "RST after the answer"      //
	HalfClosed     End = "half-close"                // by the client, before it is answered
	DiesInside     End = "server dies inside"        // an answer
	DiesByReset    End = "server dies by RST"        // inside an answer
	Mute           End = "server says nothing"       // and closes
	Leaves         End = "client leaves"             // with the status in hand
	Abandons       End = "client abandons"           // before it is answered
	Upgrades       End = "upgrade"                   // to another protocol
	Tunnels        End = "tunnel"                    // CONNECT
	EarlyAndGone   End = "early answer, client goes" // before its body has ended
)

var ends = []End{ClientCloses, ClientCloses, ClientCloses, ServerCloses, FinInAnswer, BodyUntilClose, BodyUntilClose, ResetAfter,
	HalfClosed, DiesInside, DiesByReset, Mute, Leaves, Abandons, Upgrades, Tunnels, EarlyAndGone}

// Flow is how the two sides of a round take turns.
type Flow string

// The flows. All but the first three have one exchange.
const (
	Burst    Flow = "burst"            // all requests are read, then all are answered
	InTurn   Flow = "in turn"          // each is answered before the next is read
	Batches  Flow = "batches"          // some are read, these are answered at once
	Continue Flow = "100-continue"     // the body waits for an interim answer
	Early    Flow = "early answer"     // before the request's body has ended
	ByTurns  Flow = "answer in pieces" // with a pause inside
)

// Exchange is a request and its answer.
type Exchange struct {
	Request Request
	Answer  Answer
}

// Round is some requests, sent without waiting, and their answers.
type Round struct {
	Flow      Flow
	Exchanges []Exchange
	Pause     int `json:",omitempty"` // microseconds before the server answers
	Idle      int `json:",omitempty"` // microseconds before the client asks, or closes in the end
}

// Style is how a side cuts what it sends or reads into calls.
type Style struct {
	Cut  Cut
	Call int // one of script.How
}

// Cut says where.
type Cut string

// The cuts.
const (
	Whole   Cut = "whole"   // one call for all that there is
	Random  Cut = "random"  // a few calls
	Joints  Cut = "joints"  // at the ends of lines, heads and chunks, or one byte beside
	Bytes   Cut = "bytes"   // one by one, the first few hundred
	Vectors Cut = "vectors" // one call with many pieces
	Small   Cut = "small"   // calls of less than 100 bytes
)

// Conversation is all that is said on one connection.
type Conversation struct {
	Seed     uint64 // of the cuts
	Rounds   []Round
	End      End
	Send     [2]Style // client's, server's
	Recv     [2]Style
	SendBuf  int  `json:",omitempty"` // the client's SO_SNDBUF
	NonBlock bool `json:",omitempty"` // the client's sends return early
}

// New makes the conversation of a number. Paths carry id.
func New(seed uint64, id string) Conversation {
	d := newDice(seed)
	d.calm = pick(d, 1, 4, 20)
	c := Conversation{Seed: seed, End: pick(d, ends...)}
	for i := range c.Send {
		c.Send[i], c.Recv[i] = d.style(), d.style()
	}
	n := 0
	for range d.size(8) {
		r := d.round(id, &n)
		c.Rounds = append(c.Rounds, r)
	}
	c.Rounds = append(c.Rounds, d.last(c.End, fmt.Sprintf("%s-%d", id, n)))
	for i := range c.Rounds {
		if d.one(4) { // or what is only seen when the next thing happens would be in time
			c.Rounds[i].Idle = 8000 + d.IntN(20_000)
		}
	}
	if d.odd(3) {
		c.SendBuf, c.NonBlock = 4096<<d.IntN(4), d.one(2)
	}
	return c
}

func (d dice) style() Style {
	if d.calm > 1 && d.one(2) {
		return Style{Cut: Whole}
	}
	return Style{Cut: pick(d, Whole, Whole, Whole, Random, Random, Joints, Bytes, Vectors, Small), Call: d.IntN(7)}
}

// round makes one with up to 32 requests at a time.
func (d dice) round(id string, n *int) Round {
	r := Round{Flow: Burst}
	if d.odd(2) {
		r.Flow = pick(d, InTurn, Batches, Continue, Early, ByTurns)
	}
	depth := d.depth(r.Flow)
	if d.one(20) {
		r.Pause = 1000 * (1 + d.IntN(20))
	}
	room := 24_000 // bytes that fit on the way: nobody reads them while the other side writes
	if r.Flow == Burst {
		room = 1_000_000 // they wait for each other
	}
	for range depth {
		x := d.exchange(fmt.Sprintf("%s-%d", id, *n))
		*n++
		if depth > 1 {
			room = x.fit(room)
		}
		x.suit(r.Flow, d)
		r.Exchanges = append(r.Exchanges, x)
	}
	return r
}

// depth is how many requests are sent at a time. Only some flows allow more than one.
func (d dice) depth(flow Flow) int {
	several := flow == Burst || flow == InTurn || flow == Batches
	if several && d.odd(4) {
		return pick(d, 2, 3, 4, 5, 8, 11, 16, 32)
	}
	return 1
}

// suit gives the request what the flow of its round is about: a body to be answered
// early or to be waited with.
func (x *Exchange) suit(flow Flow, d dice) {
	if flow == Continue || flow == Early {
		x.withBody(d)
	}
	if flow == Continue {
		x.Request.Lines = append(x.Request.Lines, "Expect: 100-continue")
	}
}

func (d dice) exchange(id string) Exchange {
	x := Exchange{Request: d.request(id)}
	if d.odd(12) {
		x.Request.Version = "HTTP/1.0"
		x.Request.Lines = append(x.Request.Lines, "Connection: keep-alive")
		x.Request.noChunks()
	}
	x.Answer = d.answer(x.Request)
	if x.Request.Version == "HTTP/1.0" {
		x.Answer.Lines = append(x.Answer.Lines, "Connection: keep-alive")
		x.Answer.Version = pick(d, "HTTP/1.0", "HTTP/1.1")
	}
	return x
}

func (r *Request) noChunks() {
	if r.Body.Framing == Chunked {
		r.Body = Body{Framing: Length, Size: r.Body.Size, Line: "Content-Length: %d"}
	}
}

// fit makes the messages small where they would not fit into room, and returns
// what is left of it.
func (x *Exchange) fit(room int) int {
	size := len(x.Request.render().raw) + len(x.Answer.render().raw)
	if size <= room/4 {
		return room - size
	}
	x.Request.Body, x.Answer.Body = x.Request.Body.small(), x.Answer.Body.small()
	if size = len(x.Request.render().raw) + len(x.Answer.render().raw); size > room/4 {
		x.Request.Lines, x.Answer.Lines = shorter(x.Request.Lines), shorter(x.Answer.Lines)
		x.Request.Target, _, _ = strings.Cut(x.Request.Target, "?")
	}
	return room - len(x.Request.render().raw) - len(x.Answer.render().raw)
}

func shorter(lines []string) []string {
	var kept []string
	for _, l := range lines {
		if len(l) < 100 {
			kept = append(kept, l)
		}
	}
	return kept
}

func (b Body) small() Body {
	if b.Size <= 20 {
		return b
	}
	b.Size = 20
	if b.Framing == Chunked {
		b.Chunks = []int{1, 19}
	}
	return b
}

// withBody gives the request a body where it has none.
func (x *Exchange) withBody(d dice) {
	if x.Request.Body.Size > 1 {
		return
	}
	if x.Request.Method == http.MethodHead || x.Request.Method == http.MethodTrace {
		x.Request.Method = "POST"
		x.Answer = d.answer(x.Request)
	}
	x.Request.Body = Body{Framing: Length, Size: 2 + d.size(30_000), Line: "Content-Length: %d"}
}

// last makes the round that the connection ends with.
func (d dice) last(end End, id string) Round {
	x := d.exchange(id)
	r := Round{Flow: Burst}
	r.Exchanges = []Exchange{x}
	l := &r.Exchanges[0]
	switch end {
	case ServerCloses, FinInAnswer:
		l.Request.Lines = append(l.Request.Lines, "Connection: close")
		l.Answer.Lines = append(l.Answer.Lines, "Connection: close")
	case BodyUntilClose:
		l.plain()
		l.Answer.untilClose(d)
	case ResetAfter:
		l.Answer.Body = l.Answer.Body.small()
	case DiesInside, DiesByReset:
		l.plain()
		l.Answer.long(d, 1000+d.size(50_000))
	case Leaves:
		l.plain()
		l.Answer.long(d, 1000+d.size(3_000_000))
	case Mute, Abandons:
		l.plain()
	case Upgrades:
		l.plain()
		l.Request.Body = Body{Framing: NoBody}
		l.Request.Lines = append(l.Request.Lines, "Connection: Upgrade", "Upgrade: chat")
		l.Answer.Status, l.Answer.Reason, l.Answer.Bare, l.Answer.Body = 101, "Switching Protocols", false, Body{Framing: NoBody}
	case Tunnels:
		l.Request = Request{Method: "CONNECT", Target: id + ":443", Version: "HTTP/1.1", Lines: d.lines("Host: x"), Body: Body{Framing: NoBody}}
		l.Answer.Status, l.Answer.Bare, l.Answer.Body = 200, false, Body{Framing: NoBody}
	case EarlyAndGone:
		l.plain()
		l.withBody(d)
	}
	return r
}

// plain takes away what would make the end ambiguous.
func (x *Exchange) plain() {
	if x.Request.Method == http.MethodHead {
		x.Request.Method = "GET"
	}
	x.Answer.Interim = nil
	if x.Answer.Bare {
		x.Answer.Bare, x.Answer.Status = false, 200
	}
}
