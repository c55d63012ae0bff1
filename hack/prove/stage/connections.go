package stage

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/hack/prove/oracle"
	"github.com/odi-dev/odi/hack/prove/peer"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// ends are the ports of a connection: the client's, the server's.
type ends struct{ client, server uint32 }

// finder returns what finds the spans of the i-th conversation, whose client had a
// port.
func finder(cast Cast, p *players, spans []oracle.Span) func(i int, port uint32) []oracle.Span {
	if cast.Family == peer.Unix {
		byName := byName(spans)
		return func(i int, _ uint32) []oracle.Span { return byName[i] }
	}
	byEnds := byEnds(spans)
	return func(i int, port uint32) []oracle.Span { return byEnds[ends{port, p.port(i)}] }
}

func byEnds(spans []oracle.Span) map[ends][]oracle.Span {
	all := map[ends][]oracle.Span{}
	for _, s := range spans {
		e := ends{uint32(s.Local.Port()), uint32(s.Peer.Port())}
		if s.Kind == probe.Server {
			e = ends{e.server, e.client}
		}
		all[e] = append(all[e], s)
	}
	return all
}

// name is how the targets of a conversation begin where connections have no ports.
var name = regexp.MustCompile(`^\W*[\w-]+ /?u(\d+)-`)

func byName(spans []oracle.Span) map[int][]oracle.Span {
	all := map[int][]oracle.Span{}
	for _, s := range spans {
		i := -1
		if m := name.FindSubmatch(s.RequestHead); m != nil {
			i, _ = strconv.Atoi(string(m[1]))
		}
		all[i] = append(all[i], s)
	}
	return all
}

// named has each request's target begin with the conversation's number.
func named(all []talk.Conversation) []talk.Conversation {
	var changed []talk.Conversation
	for i, c := range all {
		changed = append(changed, c.Named(fmt.Sprintf("u%d-", i)))
	}
	return changed
}

// ofBatch is the name that a batch of many gives its requests: in the first line, or
// in one of its own, because other lines hold any digits.
var ofBatch = regexp.MustCompile(`(?:\A\s*[^\r\n]*|X-Name: )b\d+c(\d+)-\d`)

// own leaves out spans that name another conversation, where those of more than one
// came: after a reset a port is soon given to the next.
func own(i int, spans []oracle.Span) []oracle.Span {
	names := map[string]bool{}
	var mine []oracle.Span
	for _, s := range spans {
		m := ofBatch.FindSubmatch(s.RequestHead)
		if m != nil {
			names[string(m[1])] = true
		}
		if m == nil || string(m[1]) == strconv.Itoa(i) {
			mine = append(mine, s)
		}
	}
	if len(names) < 2 {
		return spans // also of a conversation that is played again, by another number
	}
	return mine
}
