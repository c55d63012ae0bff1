package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/odi-dev/odi/hack/prove/oracle"
	"github.com/odi-dev/odi/hack/prove/stage"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// options say what to prove.
type options struct {
	seed     uint64
	messages int
	shrink   int
	without  features
	with     features // with one of these alone
	known    features // kinds of problems
	gaps     bool     // with what is known not to be seen rightly
	only     string
	except   string
	kind     string
	list     int
	dir      string
}

// features are names of what talk.Conversation.Features tells.
type features []string

// String joins them, for the help.
func (f *features) String() string { return strings.Join(*f, ", ") }

// Set adds one.
func (f *features) Set(name string) error {
	*f = append(*f, name)
	return nil
}

// in tells whether a conversation has one of them.
func (f features) in(c talk.Conversation) bool {
	all := c.Features()
	return slices.ContainsFunc(f, func(name string) bool { return slices.Contains(all, name) })
}

// perBatch is how many requests two processes play before others take their places.
const perBatch = 1500

// casts lists who plays, in turn.
func casts(only, except string) []stage.Cast {
	var all []stage.Cast
	families := []string{"v4", "v6", "mapped", "unix"}
	n := 0
	for _, width := range []int{10, 1, 100} {
		for _, traced := range []oracle.Traced{{Server: true, Client: true}, {Server: true}, {Client: true}} {
			for _, who := range [][2]string{{stage.Go, stage.Go}, {stage.C, stage.C}, {stage.Go, stage.C}, {stage.C, stage.Go}} {
				c := stage.Cast{Client: who[0], Server: who[1], Traced: traced, Family: families[(n+n/4)%4], Width: width}
				n++
				if strings.Contains(c.String(), only) && (except == "" || !strings.Contains(c.String(), except)) {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// prove plays conversations until there were enough messages. False: a fault.
func (o *options) prove(w io.Writer) (bool, error) {
	s, err := stage.Open()
	if err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(w, "seed %d\n", o.seed)
	sum := newSummary()
	players := casts(o.only, o.except)
	if len(players) == 0 {
		return false, fmt.Errorf("no cast is called %q", o.only)
	}
	begin := time.Now()
	for batch := 0; sum.messages < o.messages; batch++ {
		cast := players[batch%len(players)]
		all := o.batch(cast, batch, min(perBatch, o.messages-sum.messages))
		report, err := s.Play(cast, all)
		if err != nil {
			return false, fmt.Errorf("batch %d: %w", batch, err)
		}
		for _, v := range report.Verdicts {
			o.forgive(v, sum)
		}
		sum.add(cast, all, report)
		for i, v := range report.Verdicts {
			o.tell(w, cast, all[i].Seed, v)
			if o.matters(v) && sum.shown < o.shrink {
				sum.shown++
				o.show(w, s, failure{cast: cast, talk: all[i], verdict: v})
			}
		}
	}
	sum.print(w, time.Since(begin))
	return sum.ok(), s.Close()
}

// forgive takes the problems that are known out of a verdict and adds them up, if sum
// is given.
func (o *options) forgive(v *oracle.Verdict, sum *summary) {
	v.Problems = slices.DeleteFunc(v.Problems, func(p oracle.Problem) bool {
		known := slices.Contains(o.known, p.Kind)
		if known && sum != nil {
			sum.known[p.Kind]++
		}
		return known
	})
}

// tell prints the problems of a kind as long as some are to be listed.
func (o *options) tell(w io.Writer, cast stage.Cast, seed uint64, v *oracle.Verdict) {
	for _, p := range v.Problems {
		if o.list > 0 && strings.Contains(p.Kind, o.kind) {
			o.list--
			_, _ = fmt.Fprintf(w, "%s: %.300s (%s, seed %d)\n", p.Kind, p.Text, cast, seed)
		}
	}
}

// matters tells whether the verdict has a problem of the kind that is looked for.
func (o *options) matters(v *oracle.Verdict) bool {
	return slices.ContainsFunc(v.Problems, func(p oracle.Problem) bool { return strings.Contains(p.Kind, o.kind) })
}

// batch makes conversations with so many requests for a cast.
func (o *options) batch(cast stage.Cast, batch, messages int) []talk.Conversation {
	without := o.without
	if !o.gaps {
		without = append(gapsOf(cast), without...)
	}
	var all []talk.Conversation
	seed := o.seed + uint64(batch)<<24
	for n := 0; n < messages; seed++ {
		c := talk.New(seed, fmt.Sprintf("b%dc%d", batch, len(all)))
		if without.in(c) || len(o.with) > 0 && !o.with.in(c) {
			continue
		}
		n += len(c.Wants())
		all = append(all, c)
	}
	return all
}
