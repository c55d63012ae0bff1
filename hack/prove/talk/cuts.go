package talk

import (
	"slices"

	"github.com/odi-dev/odi/hack/prove/script"
)

// lane writes down how bytes go from one side to the other.
type lane struct {
	from, to *script.Side
	send     Style
	recv     Style
	d        dice
}

// say has the bytes sent.
func (l *lane) say(m rendered, flags uint32) {
	l.from.Out = append(l.from.Out, m.raw...)
	l.to.In = append(l.to.In, m.raw...)
	l.from.Ops = append(l.from.Ops, l.calls(m, flags)...)
}

// hear has the bytes read that were said so far, or all but some.
func (l *lane) hear() { l.hearUntil(uint32(len(l.to.In))) }

func (l *lane) hearUntil(n uint32) {
	op := script.Op{Kind: script.Recv, How: script.How(l.recv.Call), N: n, Sizes: []uint32{1 << 16}}
	switch l.recv.Cut {
	case Whole:
		op.Sizes = []uint32{pick[uint32](l.d, 1<<20, 1<<16, 1<<14)}
	case Bytes:
		op.Sizes = append(repeat(1, 300), 1<<16)
	case Small, Joints:
		op.Sizes = nil
		for range 60 {
			op.Sizes = append(op.Sizes, 1+l.d.Uint32N(100))
		}
		op.Sizes = append(op.Sizes, 1<<15)
	case Random, Vectors:
		op.Sizes = nil
		for range 1 + l.d.IntN(8) {
			op.Sizes = append(op.Sizes, 1+l.d.Uint32N(pick[uint32](l.d, 600, 5000, 70_000)))
		}
	}
	l.to.Ops = append(l.to.Ops, op)
}

func repeat(v uint32, n int) []uint32 {
	all := make([]uint32, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// calls cuts a message into send calls.
func (l *lane) calls(m rendered, flags uint32) []script.Op {
	how := script.How(l.send.Call)
	if how == script.File {
		return l.files(m, flags)
	}
	return []script.Op{{Kind: script.Send, How: how, Flags: flags, N: uint32(len(m.raw)), Sizes: l.sizes(m)}}
}

// files sends long bodies by sendfile and the rest by write.
func (l *lane) files(m rendered, flags uint32) []script.Op {
	var ops []script.Op
	at := 0
	write := func(to int, how script.How) {
		if to > at {
			n := uint32(to - at)
			ops = append(ops, script.Op{Kind: script.Send, How: how, Flags: flags, N: n, Sizes: []uint32{n}})
			at = to
		}
	}
	if len(m.payloads) <= 8 {
		for _, p := range m.payloads {
			write(p.from, script.Plain)
			write(p.to, script.File)
		}
	}
	write(len(m.raw), script.Plain)
	return ops
}

// sizes are those of the pieces, in turn.
func (l *lane) sizes(m rendered) []uint32 {
	n := len(m.raw)
	var cuts []int
	switch l.send.Cut {
	case Random:
		cuts = l.d.anywhere(1+l.d.IntN(6), n)
	case Joints:
		cuts = l.d.atJoints(m.joints)
	case Bytes:
		for i := range min(n, 300) {
			cuts = append(cuts, i)
		}
	case Small:
		cuts = l.d.closeBy()
	case Vectors:
		cuts = l.d.anywhere(1+l.d.size(1000), n)
	}
	return between(cuts, n)
}

// anywhere returns as many places as asked for in a message of n bytes.
func (d dice) anywhere(count, n int) []int {
	var cuts []int
	for range count {
		cuts = append(cuts, d.IntN(n+1))
	}
	return cuts
}

// atJoints returns places where the parts of a message meet, or a byte beside them.
func (d dice) atJoints(joints []int) []int {
	var cuts []int
	for _, j := range joints {
		if len(cuts) < 40 && d.one(2) {
			cuts = append(cuts, j+pick(d, -1, 0, 0, 1))
		}
	}
	return cuts
}

// closeBy returns places that are at most a hundred bytes from each other.
func (d dice) closeBy() []int {
	var cuts []int
	for i, at := 0, 0; i < 50; i++ {
		at += 1 + d.IntN(100)
		cuts = append(cuts, at)
	}
	return cuts
}

// between turns places into the sizes of the pieces between them.
func between(cuts []int, n int) []uint32 {
	slices.Sort(cuts)
	var sizes []uint32
	at := 0
	for _, c := range append(cuts, n) {
		if c > at && c <= n {
			sizes = append(sizes, uint32(c-at))
			at = c
		}
	}
	return sizes
}
