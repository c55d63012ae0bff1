package stage

import (
	"fmt"
	"os"
	"testing"

	"github.com/odi-dev/odi/hack/prove/foreign"
	"github.com/odi-dev/odi/hack/prove/peer"
	"github.com/odi-dev/odi/hack/prove/talk"
)

func TestMain(m *testing.M) {
	peer.Main()
	os.Exit(m.Run())
}

// TestWithoutAnEngine: where nobody watches, each conversation goes as it was made
// up, in both runtimes. Otherwise the proofs would blame the engine.
func TestWithoutAnEngine(t *testing.T) {
	s := Bare()
	for i, cast := range []Cast{{Server: Go, Client: C, Family: "v4", Width: 8}, {Server: C, Client: Go, Family: "v6", Width: 4}, {Server: C, Client: C, Family: "mapped", Width: 16}, {Server: Go, Client: Go, Family: "v4", Width: 16}, {Server: Go, Client: C, Family: "unix", Width: 8}, {Server: C, Client: Go, Family: "unix", Width: 8}} {
		t.Run(cast.String(), func(t *testing.T) {
			var all []talk.Conversation
			var others []Foreign
			for n := range uint64(150) {
				seed := uint64(i)<<32 + n
				all = append(all, talk.New(seed, fmt.Sprintf("c%d", n)))
				others = append(others, Foreign{Seed: seed, Turns: foreign.Protocols[int(n)%len(foreign.Protocols)].Speak(foreign.NewDice(seed))})
			}
			report, err := s.Play(cast, all)
			if err != nil {
				t.Fatal(err)
			}
			for n, v := range report.Verdicts {
				for _, p := range v.Problems {
					t.Errorf("conversation %d, %v: %s: %s", n, all[n].Features(), p.Kind, p.Text)
				}
			}
			wrong, err := s.PlayForeign(cast, others)
			if err != nil {
				t.Fatal(err)
			}
			for n, what := range wrong {
				if what != "" {
					t.Errorf("%s: %s", foreign.Protocols[n%len(foreign.Protocols)].Name, what)
				}
			}
		})
	}
}
