package talk

import "github.com/odi-dev/odi/hack/prove/script"

// last plays the round that the connection ends with.
func (r *renderer) last(round Round) {
	xs := round.Exchanges
	switch r.c.End {
	case DiesInside, DiesByReset:
		r.dies(xs[0])
	case Mute:
		r.ask(xs)
		r.asks.hear()
		r.atEnd()
		r.do(r.server, script.Op{Kind: script.Close})
		r.closeLast(r.client)
	case Leaves:
		r.leaves(xs[0])
	case Abandons:
		r.ask(xs)
		r.asks.hear()
		r.do(r.client, script.Op{Kind: script.Close})
		r.atEnd()
		r.do(r.server, script.Op{Kind: script.RecvEnd})
		r.tells.say(xs[0].Answer.render(), script.MayFail)
		r.do(r.server, script.Op{Kind: script.Close})
	case Upgrades, Tunnels:
		r.becomesAnother(xs)
	case EarlyAndGone:
		r.earlyAndGone(xs[0])
	default:
		r.lastAnswered(xs)
	}
}

// atEnd has the books of the last request end with the connection: when the client has
// heard all, and the server has said all.
func (r *renderer) atEnd() {
	r.server.Finishes = append(r.server.Finishes, script.Mark{Off: script.AtEnd})
	r.client.Finishes = append(r.client.Finishes, script.Mark{In: true, Off: script.AtEnd})
}

// closeLast has a side close after the other has.
func (r *renderer) closeLast(s *script.Side) {
	r.do(s, script.Op{Kind: script.RecvEnd})
	r.idle(s)
	r.do(s, script.Op{Kind: script.Close})
}

// idle has the client wait before it closes.
func (r *renderer) idle(s *script.Side) {
	if s == r.client {
		r.pause(s, r.c.Rounds[len(r.c.Rounds)-1].Idle)
	}
}

// lastAnswered plays the ends where the last answer is whole.
func (r *renderer) lastAnswered(xs []Exchange) {
	r.ask(xs)
	if r.c.End == HalfClosed {
		r.do(r.client, script.Op{Kind: script.HalfClose})
	}
	r.asks.hear()
	if r.c.End == HalfClosed {
		r.do(r.server, script.Op{Kind: script.RecvEnd})
	}
	m := r.answers(xs)
	if r.c.End == BodyUntilClose {
		last := len(r.client.Finishes) - 1
		r.client.Finishes[last] = script.Mark{In: true, Off: script.AtEnd}
		r.server.Finishes[last] = script.Mark{Off: script.AtEnd}
	}
	if r.c.End == FinInAnswer {
		r.tells.send = Style{Cut: Whole, Call: int(script.Plain)}
		r.do(r.server, script.Op{Kind: script.Cork})
	}
	r.tells.say(m, 0)
	switch r.c.End {
	case ClientCloses:
		r.tells.hear()
		r.idle(r.client)
		r.do(r.client, script.Op{Kind: script.Close})
		r.closeLast(r.server)
		return
	case ResetAfter:
		r.do(r.server, script.Op{Kind: script.Settle})
		r.do(r.server, script.Op{Kind: script.Reset})
	default:
		r.do(r.server, script.Op{Kind: script.Close})
	}
	r.tells.hear()
	r.closeLast(r.client)
}

// dies has the server close within the answer.
func (r *renderer) dies(x Exchange) {
	r.ask([]Exchange{x})
	r.asks.hear()
	m := x.Answer.render()
	r.tells.say(m.cut(0, r.inside(m)), 0)
	r.atEnd()
	if r.c.End == DiesByReset {
		r.do(r.server, script.Op{Kind: script.Settle})
		r.do(r.server, script.Op{Kind: script.Reset})
	} else {
		r.do(r.server, script.Op{Kind: script.Close})
	}
	r.tells.hear()
	r.closeLast(r.client)
}

// leaves has the client close when it has read the head of the answer.
func (r *renderer) leaves(x Exchange) {
	r.ask([]Exchange{x})
	r.asks.hear()
	m := x.Answer.render()
	head := m.cut(0, m.head)
	r.tells.say(head, 0)
	r.tells.hear()
	r.do(r.client, script.Op{Kind: script.Close})
	r.atEnd()
	r.tells.say(m.cut(m.head, len(m.raw)), script.MayFail)
	r.do(r.server, script.Op{Kind: script.Close})
}

// becomesAnother has both sides say things that look like HTTP and are not.
func (r *renderer) becomesAnother(xs []Exchange) {
	r.ask(xs)
	r.asks.hear()
	r.tells.say(r.answers(xs), 0)
	r.tells.hear()
	for range 1 + r.d.IntN(4) {
		r.asks.say(rendered{raw: []byte("GET /tunnelled HTTP/1.1\r\nHost: x\r\n\r\n")}, 0)
		r.asks.hear()
		r.tells.say(rendered{raw: []byte("HTTP/1.1 500 Tunnelled\r\nContent-Length: 0\r\n\r\n")}, 0)
		r.tells.hear()
	}
	r.do(r.client, script.Op{Kind: script.Close})
	r.closeLast(r.server)
}

// earlyAndGone has the client stop sending when it is answered.
func (r *renderer) earlyAndGone(x Exchange) {
	m := x.Request.render()
	at := r.inside(m)
	r.asked(x, m, uint32(len(r.client.Out)))
	r.asks.say(m.cut(0, at), 0)
	r.asks.hear()
	r.tells.say(r.answers([]Exchange{x}), 0)
	r.tells.hear()
	r.do(r.client, script.Op{Kind: script.Close})
	r.closeLast(r.server)
}
