package talk

import "github.com/odi-dev/odi/hack/prove/script"

// Turn is what one side says before the other reads it.
type Turn struct {
	FromServer bool
	Bytes      []byte
}

// RenderTurns writes down what each side does where they take turns, cut into calls
// in any way. Nothing may be inserted.
func RenderTurns(id uint32, seed uint64, turns []Turn) (client, server *script.Side) {
	d := newDice(seed)
	client, server = &script.Side{ID: id}, &script.Side{ID: id}
	asks := lane{from: client, to: server, send: d.style(), recv: d.style(), d: d}
	tells := lane{from: server, to: client, send: d.style(), recv: d.style(), d: d}
	for _, t := range turns {
		l := &asks
		if t.FromServer {
			l = &tells
		}
		l.say(rendered{raw: t.Bytes, joints: lineEnds(t.Bytes)}, 0)
		l.hear()
	}
	client.Ops = append(client.Ops, script.Op{Kind: script.Close})
	server.Ops = append(server.Ops, script.Op{Kind: script.RecvEnd}, script.Op{Kind: script.Close})
	return client, server
}

func lineEnds(b []byte) []int {
	var ends []int
	for i, c := range b {
		if c == '\n' && len(ends) < 100 {
			ends = append(ends, i+1)
		}
	}
	return ends
}
