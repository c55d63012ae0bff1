package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/odi-dev/odi/hack/prove/foreign"
	"github.com/odi-dev/odi/hack/prove/oracle"
	"github.com/odi-dev/odi/hack/prove/stage"
)

// options say what to prove.
type options struct {
	seed     uint64
	messages int
	only     string
}

// perBatch is how many conversations two processes have before others take their places.
const perBatch = 200

// casts lists who plays, in turn. Only traced clients are written to.
func casts() []stage.Cast {
	var all []stage.Cast
	for i, family := range []string{"v4", "v6", "mapped"} {
		for _, who := range [][2]string{{stage.Go, stage.C}, {stage.C, stage.Go}} {
			all = append(all, stage.Cast{Client: who[0], Server: who[1], Traced: oracle.Traced{Client: true, Server: i != 1}, Family: family, Width: []int{10, 1, 40}[i]})
		}
	}
	return all
}

// tally counts what was said in one protocol.
type tally struct{ conversations, messages, bytes, bad int }

// prove plays until there were enough messages. False: a fault.
func (o *options) prove(w io.Writer) (bool, error) {
	s, err := stage.Open()
	if err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(w, "seed %d\n", o.seed)
	protocols := o.protocols()
	tallies := make([]tally, len(protocols))
	players, begin, messages := casts(), time.Now(), 0
	for batch := 0; messages < o.messages; batch++ {
		var all []stage.Foreign
		for i := range perBatch {
			seed := o.seed + uint64(batch)<<24 + uint64(i)
			turns := protocols[i%len(protocols)].Speak(foreign.NewDice(seed))
			all = append(all, stage.Foreign{Seed: seed, Turns: turns, Is: protocols[i%len(protocols)].Is})
		}
		cast := players[batch%len(players)]
		wrong, err := s.PlayForeign(cast, all)
		if err != nil {
			return false, fmt.Errorf("batch %d: %w", batch, err)
		}
		for i, what := range wrong {
			t := &tallies[i%len(protocols)]
			t.add(all[i])
			messages += len(all[i].Turns)
			if what == "" {
				continue
			}
			if t.bad++; t.bad <= 2 {
				_, _ = fmt.Fprintf(w, "FAULT %s, %s, seed %d, %d turns: %.500s\n", protocols[i%len(protocols)].Name, cast, all[i].Seed, len(all[i].Turns), what)
			}
		}
	}
	ok := report(w, protocols, tallies, time.Since(begin))
	_, _ = fmt.Fprintf(w, "%d conversations in which a reset said EAGAIN first to a call that waited (docs/seen.md)\n", s.Odd)
	return ok, s.Close()
}

func (o *options) protocols() []foreign.Protocol {
	var all []foreign.Protocol
	for _, p := range foreign.Protocols {
		if strings.Contains(p.Name, o.only) {
			all = append(all, p)
		}
	}
	return all
}

func (t *tally) add(f stage.Foreign) {
	t.conversations++
	t.messages += len(f.Turns)
	for _, turn := range f.Turns {
		t.bytes += len(turn.Bytes)
	}
}

func report(w io.Writer, protocols []foreign.Protocol, tallies []tally, took time.Duration) bool {
	var sum tally
	for i, t := range tallies {
		sum.conversations += t.conversations
		sum.messages += t.messages
		sum.bytes += t.bytes
		sum.bad += t.bad
		if t.bad > 0 {
			_, _ = fmt.Fprintf(w, "  %5d of %5d conversations with faults: %s\n", t.bad, t.conversations, protocols[i].Name)
		}
	}
	_, _ = fmt.Fprintf(w, "%d messages of %d protocols in %d conversations, %d MiB, %d with faults, %s\n",
		sum.messages, len(protocols), sum.conversations, sum.bytes>>20, sum.bad, took.Round(time.Second))
	return sum.bad == 0
}
