package foreign

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// Protocol makes conversations of one kind.
type Protocol struct {
	Name string
	// Speak returns what is said, one message a turn.
	Speak func(d Dice) []talk.Turn
	// Is is its code, where odi sees it.
	Is probe.Code
}

// seen is a protocol that odi sees.
func seen(is probe.Code, p Protocol) Protocol {
	p.Is = is
	return p
}

// Protocols are all, in no order that matters.
var Protocols = append(append(append([]Protocol{}, lineProtocols...), binaryProtocols...), liars...)

// Dice is a source of choices.
type Dice struct{ *rand.Rand }

// NewDice makes one from a number.
func NewDice(seed uint64) Dice { return Dice{rand.New(rand.NewPCG(seed, 0xf0e))} }

func pick[T any](d Dice, all ...T) T { return all[d.IntN(len(all))] }

// length is mostly small, seldom near most.
func (d Dice) length(most int) int {
	limit := 10
	for limit < most && d.IntN(3) > 0 {
		limit *= 4
	}
	return d.IntN(min(limit, most) + 1)
}

const letters = "abcdefghijklmnopqrstuvwxyz"

func (d Dice) word() string {
	n := 1 + d.IntN(9)
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[d.IntN(len(letters))]
	}
	return string(b)
}

// text is words of about n bytes, some of which belong to HTTP.
func (d Dice) text(n int) string {
	var b strings.Builder
	for b.Len() < n {
		if d.IntN(12) == 0 {
			b.WriteString(pick(d, "GET", "POST / HTTP/1.1x", "HTTP/1.1", "Host:", "HTTP/1.0 200 OK", "traceparent:"))
		} else {
			b.WriteString(d.word())
		}
		b.WriteByte(' ')
	}
	return b.String() + "."
}

// bytes are any bytes, among them the beginnings of requests.
func (d Dice) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	if n > 40 && d.IntN(3) == 0 {
		copy(b[d.IntN(n-30):], "GET / HTTP/1.1 ")
	}
	return b
}

func be16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func be32(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
func le32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// ask and tell are turns of the client and of the server.
func ask(b []byte) talk.Turn    { return talk.Turn{Bytes: b} }
func tell(b []byte) talk.Turn   { return talk.Turn{FromServer: true, Bytes: b} }
func asks(s string) talk.Turn   { return ask([]byte(s)) }
func tells(s string) talk.Turn  { return tell([]byte(s)) }
func (d Dice) many() []struct{} { return make([]struct{}, 2+d.IntN(14)) }

// oneWay is a protocol of which each message is made alone and nothing is answered.
func oneWay(name string, message func(d Dice) []byte) Protocol {
	return Protocol{Name: name, Speak: func(d Dice) (turns []talk.Turn) {
		for range d.many() {
			turns = append(turns, ask(message(d)))
		}
		return turns
	}}
}

// exchanged is one whose messages are answered.
func exchanged(name string, request, answer func(d Dice) []byte) Protocol {
	return Protocol{Name: name, Speak: func(d Dice) (turns []talk.Turn) {
		for range d.many() {
			turns = append(turns, ask(request(d)), tell(answer(d)))
		}
		return turns
	}}
}

// greeted is one in which the server speaks first.
func greeted(name, greeting string, request, answer func(d Dice) []byte) Protocol {
	rest := exchanged(name, request, answer)
	return Protocol{Name: name, Speak: func(d Dice) []talk.Turn {
		return append([]talk.Turn{tells(greeting)}, rest.Speak(d)...)
	}}
}
