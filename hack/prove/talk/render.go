package talk

import "github.com/odi-dev/odi/hack/prove/script"

// renderer writes down both sides of a conversation.
type renderer struct {
	c      Conversation
	d      dice
	client *script.Side
	server *script.Side
	asks   lane
	tells  lane
}

// Render writes down what the client and the server do.
func (c Conversation) Render(id uint32) (client, server *script.Side) {
	r := &renderer{c: c, d: newDice(c.Seed + 1), client: &script.Side{ID: id}, server: &script.Side{ID: id}}
	r.asks = lane{from: r.client, to: r.server, send: c.Send[0], recv: c.Recv[1], d: r.d}
	r.tells = lane{from: r.server, to: r.client, send: c.Send[1], recv: c.Recv[0], d: r.d}
	if c.SendBuf > 0 {
		r.do(r.client, script.Op{Kind: script.SendBuf, N: uint32(c.SendBuf)})
	}
	if c.NonBlock {
		r.do(r.client, script.Op{Kind: script.NonBlock})
	}
	for i, round := range c.Rounds {
		r.pause(r.client, round.Idle)
		if i < len(c.Rounds)-1 {
			r.round(round)
			continue
		}
		r.last(round)
	}
	return r.client, r.server
}

func (r *renderer) do(s *script.Side, op script.Op) { s.Ops = append(s.Ops, op) }

func (r *renderer) pause(s *script.Side, micros int) {
	if micros > 0 {
		r.do(s, script.Op{Kind: script.Sleep, N: uint32(micros)})
	}
}

// asked notes where a request is that begins at off of the client's bytes.
func (r *renderer) asked(x Exchange, m rendered, off uint32) {
	first := off + uint32(m.begin)
	r.client.Begins = append(r.client.Begins, script.Mark{Off: first})
	r.server.Begins = append(r.server.Begins, script.Mark{In: true, Off: first})
	if x.Request.Trace == "" && !x.Request.BadOwn {
		r.server.Inserts = append(r.server.Inserts, off+uint32(m.line))
	}
}

// told notes where the answer ends in the server's bytes.
func (r *renderer) told(end uint32) {
	r.server.Finishes = append(r.server.Finishes, script.Mark{Off: end - 1})
	r.client.Finishes = append(r.client.Finishes, script.Mark{In: true, Off: end - 1})
}

// ask has the client send all requests of a round at once.
func (r *renderer) ask(xs []Exchange) {
	all, at := rendered{}, uint32(len(r.client.Out))
	for _, x := range xs {
		m := x.Request.render()
		r.asked(x, m, at+uint32(len(all.raw)))
		all.join(m)
	}
	r.asks.say(all, 0)
}

// answers joins answers and notes where each ends.
func (r *renderer) answers(xs []Exchange) rendered {
	all, at := rendered{}, uint32(len(r.server.Out))
	for _, x := range xs {
		all.join(x.Answer.render())
		r.told(at + uint32(len(all.raw)))
	}
	return all
}

func (r *renderer) round(round Round) {
	switch xs := round.Exchanges; round.Flow {
	case Continue:
		r.continued(xs[0], round.Pause)
	case Early:
		r.early(xs[0])
	case InTurn:
		r.batches(round, 1)
	case Batches:
		r.batches(round, 5)
	case ByTurns:
		r.byTurns(round)
	default:
		r.ask(xs)
		r.asks.hear()
		r.pause(r.server, round.Pause)
		r.tells.say(r.answers(xs), 0)
		r.tells.hear()
	}
}

// batches has up to most requests read, then answered at once, then the next.
func (r *renderer) batches(round Round, most int) {
	at := uint32(len(r.server.In))
	r.ask(round.Exchanges)
	for xs := round.Exchanges; len(xs) > 0; {
		n := min(1+r.d.IntN(most), len(xs))
		for _, x := range xs[:n] {
			at += uint32(len(x.Request.render().raw))
		}
		r.asks.hearUntil(at)
		r.pause(r.server, round.Pause)
		r.tells.say(r.answers(xs[:n]), 0)
		xs = xs[n:]
	}
	r.tells.hear()
}

// continued has the body wait for a 100.
func (r *renderer) continued(x Exchange, pause int) {
	m := x.Request.render()
	r.asked(x, m, uint32(len(r.client.Out)))
	r.asks.say(m.cut(0, m.head), 0)
	r.asks.hear()
	r.tells.say(rendered{raw: []byte("HTTP/1.1 100 Continue\r\n\r\n")}, 0)
	r.tells.hear()
	r.asks.say(m.cut(m.head, len(m.raw)), 0)
	r.asks.hear()
	r.pause(r.server, pause)
	r.tells.say(r.answers([]Exchange{x}), 0)
	r.tells.hear()
}

// inside is a place in the body, or behind the head where there is none.
func (r *renderer) inside(m rendered) int { return m.head + r.d.IntN(max(1, len(m.raw)-m.head)) }

// early has the answer come before the body has ended.
func (r *renderer) early(x Exchange) {
	m := x.Request.render()
	at := r.inside(m)
	r.asked(x, m, uint32(len(r.client.Out)))
	r.asks.say(m.cut(0, at), 0)
	r.asks.hear()
	r.tells.say(r.answers([]Exchange{x}), 0)
	r.tells.hear()
	if at < len(m.raw) {
		r.asks.say(m.cut(at, len(m.raw)), 0)
		r.asks.hear()
	}
}

// byTurns has the answer come in two pieces, each read before the other is sent.
func (r *renderer) byTurns(round Round) {
	r.ask(round.Exchanges)
	r.asks.hear()
	m := r.answers(round.Exchanges)
	at := 1 + r.d.IntN(len(m.raw))
	r.tells.say(m.cut(0, at), 0)
	r.tells.hear()
	r.pause(r.server, max(round.Pause, 200))
	if at < len(m.raw) {
		r.tells.say(m.cut(at, len(m.raw)), 0)
		r.tells.hear()
	}
}
