package talk

import (
	"net/http"
	"slices"
	"strings"
)

// Shrink makes c smaller as long as it still fails, and gives up after so many tries.
func Shrink(c Conversation, tries int, fails func(Conversation) bool) Conversation {
	for again := true; again && tries > 0; {
		again = false
		for _, smaller := range c.smaller() {
			if tries--; tries <= 0 {
				break
			}
			if fails(smaller) {
				c, again = smaller, true
				break
			}
		}
	}
	return c
}

// smaller lists conversations with something left out, the boldest first.
func (c Conversation) smaller() []Conversation {
	var all []Conversation
	add := func(change func(*Conversation)) {
		n := c.clone()
		change(&n)
		all = append(all, n)
	}
	last := len(c.Rounds) - 1
	if last > 1 {
		add(func(n *Conversation) { n.Rounds = n.Rounds[last:] })
		add(func(n *Conversation) { n.Rounds = n.Rounds[last/2:] })
	}
	for i := range last {
		add(func(n *Conversation) { n.Rounds = slices.Delete(n.Rounds, i, i+1) })
	}
	if c.End != ClientCloses && last > 0 {
		add(func(n *Conversation) { n.Rounds, n.End = n.Rounds[:last], ClientCloses })
	}
	c.smallerStyles(add)
	for i, r := range c.Rounds {
		r.smaller(func(change func(*Round)) {
			add(func(n *Conversation) { change(&n.Rounds[i]) })
		})
	}
	return all
}

// smaller offers changes to one round.
func (r Round) smaller(add func(func(*Round))) {
	if r.Flow != Burst {
		add(func(n *Round) { n.Flow = Burst })
	}
	if r.Idle > 0 {
		add(func(n *Round) { n.Idle = 0 })
	}
	if r.Pause > 0 {
		add(func(n *Round) { n.Pause = 0 })
	}
	if k := len(r.Exchanges); k > 2 {
		add(func(n *Round) { n.Exchanges = n.Exchanges[:k/2] })
		add(func(n *Round) { n.Exchanges = n.Exchanges[k/2:] })
	}
	for j := range r.Exchanges {
		if len(r.Exchanges) > 1 {
			add(func(n *Round) { n.Exchanges = slices.Delete(n.Exchanges, j, j+1) })
		}
		r.Exchanges[j].smaller(func(change func(*Exchange)) {
			add(func(n *Round) { change(&n.Exchanges[j]) })
		})
	}
}

func (c Conversation) clone() Conversation {
	c.Rounds = slices.Clone(c.Rounds)
	for i := range c.Rounds {
		c.Rounds[i].Exchanges = slices.Clone(c.Rounds[i].Exchanges)
	}
	return c
}

func (c Conversation) smallerStyles(add func(func(*Conversation))) {
	if c.NonBlock {
		add(func(n *Conversation) { n.NonBlock = false })
	}
	if c.SendBuf > 0 {
		add(func(n *Conversation) { n.SendBuf = 0 })
	}
	plain := Style{Cut: Whole}
	for i := range c.Send {
		if c.Send[i] != plain {
			add(func(n *Conversation) { n.Send[i] = plain })
		}
		if c.Recv[i] != plain {
			add(func(n *Conversation) { n.Recv[i] = plain })
		}
	}
}

// smaller offers changes to one exchange.
func (x Exchange) smaller(add func(func(*Exchange))) {
	r, a := x.Request, x.Answer
	r.Body.smaller(func(change func(*Body)) { add(func(n *Exchange) { change(&n.Request.Body) }) })
	a.Body.smaller(func(change func(*Body)) { add(func(n *Exchange) { change(&n.Answer.Body) }) })
	if r.Body.Framing != NoBody {
		add(func(n *Exchange) { n.Request.Body = Body{Framing: NoBody} })
	}
	if len(r.Lines) > 1 {
		add(func(n *Exchange) {
			n.Request.Lines, n.Request.Trace, n.Request.BadOwn = []string{"Host: x"}, "", false
		})
		add(func(n *Exchange) { n.Request.Lines = shorter(n.Request.Lines) })
		for i, l := range r.Lines {
			if !strings.EqualFold(l[:min(len(l), 11)], "traceparent") {
				add(func(n *Exchange) { n.Request.Lines = slices.Delete(slices.Clone(n.Request.Lines), i, i+1) })
			}
		}
	}
	if r.Lead > 0 {
		add(func(n *Exchange) { n.Request.Lead = 0 })
	}
	if r.BareLF {
		add(func(n *Exchange) { n.Request.BareLF = false })
	}
	if r.Method != http.MethodGet && !a.Bare && r.Method != http.MethodConnect {
		add(func(n *Exchange) { n.Request.Method = "GET" })
	}
	if len(r.Target) > 30 {
		add(func(n *Exchange) { n.Request.Target = n.Request.Target[:30] })
		add(func(n *Exchange) { n.Request.Target = n.Request.Target[:len(n.Request.Target)/2] })
	}
	x.smallerAnswer(add)
}

func (x Exchange) smallerAnswer(add func(func(*Exchange))) {
	a := x.Answer
	if len(a.Interim) > 0 {
		add(func(n *Exchange) { n.Answer.Interim = nil })
	}
	if len(a.Lines) > 0 {
		add(func(n *Exchange) { n.Answer.Lines = nil })
		add(func(n *Exchange) { n.Answer.Lines = shorter(n.Answer.Lines) })
	}
	if a.BareLF {
		add(func(n *Exchange) { n.Answer.BareLF = false })
	}
	if a.Reason != "OK" {
		add(func(n *Exchange) { n.Answer.Reason = "OK" })
	}
	if a.Status > 200 && !a.Bare {
		add(func(n *Exchange) {
			n.Answer.Status, n.Answer.Body = 200, Body{Framing: Length, Size: 2, Line: "Content-Length: %d"}
		})
		if a.Status != 204 && a.Status != 205 {
			add(func(n *Exchange) { n.Answer.Status = 200 })
		}
	}
}

// smaller offers changes to a body.
func (b Body) smaller(add func(func(*Body))) {
	if b.Framing == NoBody {
		return
	}
	if b.Size > 20 {
		add(func(n *Body) { *n = n.small() })
		if k := len(b.Chunks); k > 1 {
			add(func(n *Body) { n.Chunks = n.Chunks[:k/2]; n.Size = sum(n.Chunks) })
		} else if k == 0 {
			add(func(n *Body) { n.Size /= 2 })
		}
	}
	plain := map[Framing]string{Length: "Content-Length: %d", Chunked: "Transfer-Encoding: chunked"}[b.Framing]
	if b.Line != plain {
		add(func(n *Body) { n.Line = plain })
	}
	if b.Ext {
		add(func(n *Body) { n.Ext = false })
	}
	if b.Zeros > 0 {
		add(func(n *Body) { n.Zeros = 0 })
	}
	if b.Trailers != nil {
		add(func(n *Body) { n.Trailers = nil })
	}
}

func sum(all []int) int {
	n := 0
	for _, v := range all {
		n += v
	}
	return n
}
