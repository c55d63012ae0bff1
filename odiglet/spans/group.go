package spans

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/odi-dev/odi/odiglet/signal"
)

// groupKey is whose spans are in one group.
type groupKey struct {
	origin *Origin
	room   *room
}

// group is the spans of one origin and protocol in a batch: parts of the batch's memory.
type group struct {
	owner    signal.Owner
	scope    []byte // the fields of a ScopeSpans without its spans
	resource []byte // the fields of a ResourceSpans without its spans
	parts    []part
	size     int // of all parts
	spans    int
}

// longestLengths is what the tags and lengths of a ResourceSpans and its ScopeSpans take at the most.
const longestLengths = 2 * (1 + 5)

type part struct{ from, to int }

// put adds what lies behind everything that was put before.
func (g *group) put(from, to int) {
	g.size += to - from
	g.spans++
	if last := len(g.parts) - 1; last >= 0 && g.parts[last].to == from {
		g.parts[last].to = to
		return
	}
	g.parts = append(g.parts, part{from, to})
}

// append appends the group as one ResourceSpans with one ScopeSpans. The fields of
// a message may come in any order: the spans follow what is known beforehand.
func (g *group) append(b, spans []byte) []byte {
	inner := len(g.scope) + g.size
	b = append(b, tagResourceSpans)
	b = protowire.AppendVarint(b, uint64(len(g.resource)+1+protowire.SizeBytes(inner)))
	b = append(b, g.resource...)
	b = append(b, tagScopeSpans)
	b = protowire.AppendVarint(b, uint64(inner))
	b = append(b, g.scope...)
	for _, p := range g.parts {
		b = append(b, spans[p.from:p.to]...)
	}
	return b
}

// encodedSize is what append appends.
func (g *group) encodedSize() int {
	return 1 + protowire.SizeBytes(len(g.resource)+1+protowire.SizeBytes(len(g.scope)+g.size))
}

// missing is what the group adds to a batch beside its spans, as long as it has none in it.
func (g *group) missing() int {
	if len(g.parts) > 0 {
		return 0
	}
	return len(g.resource) + len(g.scope) + longestLengths
}
