package stage

import (
	"fmt"
	"slices"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/hack/prove/oracle"
	"github.com/odi-dev/odi/hack/prove/script"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// Foreign is a conversation in another protocol, cut into calls by its seed.
type Foreign struct {
	Seed  uint64
	Turns []talk.Turn
	// Is is the protocol, where odi sees it: its spans are no mistake.
	Is probe.Code
}

// PlayForeign has the conversations played and says for each what is wrong: a byte
// that did not arrive as it was sent, or a span of another protocol; empty where all is right.
func (s *Stage) PlayForeign(cast Cast, all []Foreign) ([]string, error) {
	p, err := hire(cast)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := s.watch(cast, p); err != nil {
		return nil, err
	}
	clients, servers, err := p.perform(len(all), func(i int) (client, server *script.Side) {
		return talk.RenderTurns(uint32(i), all[i].Seed, all[i].Turns)
	})
	if err != nil {
		return nil, fmt.Errorf("playing %s: %w", cast, err)
	}
	conversation := finder(cast, p, s.take(0, p.server.pid(), p.client.pid()))
	wrong := make([]string, len(all))
	for i := range all {
		client, server := clients[uint32(i)], servers[uint32(i)]
		if client != nil && client.Odd == script.ResetSaysAgain {
			s.Odd++
		}
		if wrong[i] = mishap(client, server); wrong[i] != "" {
			continue
		}
		own := func(s oracle.Span) bool { return s.Protocol == all[i].Is }
		if spans := slices.DeleteFunc(conversation(i, client.Port), own); len(spans) > 0 {
			wrong[i] = fmt.Sprintf("%d spans, the first of status %d: %.100q", len(spans), spans[0].StatusCode, spans[0].RequestHead)
		}
	}
	return wrong, nil
}

// mishap says what went wrong between the two sides themselves; empty if nothing did.
func mishap(client, server *script.Result) string {
	switch {
	case client == nil || server == nil:
		return "a side did not report"
	case server.Fault != "":
		return "the server: " + server.Fault
	case client.Fault != "":
		return "the client: " + client.Fault
	case client.Odd != "" && client.Odd != script.ResetSaysAgain:
		return "the client: " + client.Odd
	}
	return ""
}
