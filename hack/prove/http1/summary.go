package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/odi-dev/odi/hack/prove/stage"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// tally counts conversations.
type tally struct{ all, bad int }

// summary adds up what was found.
type summary struct {
	messages, conversations, spans int
	lost, wrong, uncounted         int
	noHeader, headersUncounted     int
	cut, waited, met, again, shown int
	stolen                         int
	casts                          map[string]*tally
	features                       map[string]*tally
	problems, known                map[string]int
	drops                          map[string]uint64
	deviation                      []time.Duration
}

func newSummary() *summary {
	return &summary{casts: map[string]*tally{}, features: map[string]*tally{}, problems: map[string]int{}, known: map[string]int{}, drops: map[string]uint64{}}
}

func (s *summary) ok() bool {
	return s.lost == 0 && s.wrong == 0 && s.headersUncounted == 0
}

func (s *summary) add(cast stage.Cast, all []talk.Conversation, r *stage.Report) {
	for i, v := range r.Verdicts {
		s.conversations++
		s.messages += len(all[i].Wants())
		s.spans += v.Sent
		s.lost += v.Lost
		s.wrong += len(v.Problems) - v.Lost
		for _, problem := range v.Problems {
			s.problems[problem.Kind]++
		}
		s.noHeader += v.NoHeader
		s.cut += v.Cut
		s.again += v.Again
		s.stolen += v.Stolen
		s.waited += v.Waited
		s.met += v.Met
		s.deviation = append(s.deviation, v.Deviation...)
		count(s.casts, cast.String(), v.Bad())
		for _, f := range all[i].Features() {
			count(s.features, f, v.Bad())
		}
	}
	spans, headers := r.Uncounted()
	s.uncounted += spans
	s.headersUncounted += headers
	for reason, n := range r.Drops {
		s.drops[reason] += n
	}
}

func count(all map[string]*tally, name string, bad bool) {
	t := all[name]
	if t == nil {
		t = &tally{}
		all[name] = t
	}
	t.all++
	if bad {
		t.bad++
	}
}

func (s *summary) print(w io.Writer, took time.Duration) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("%d messages in %d conversations, %d spans wanted, %s", s.messages, s.conversations, s.spans, took.Round(time.Second))
	p("lost %d (%d of them not counted), wrong %d, heads cut below 1 KiB %d", s.lost, s.uncounted, s.wrong, s.cut)
	p("without header %d (%d of them not counted)", s.noHeader, s.headersUncounted)
	p("client spans that began when a call that waited for room returned (docs/seen.md) %d", s.waited)
	p("spans of Unix sockets that ended when the other side met the end (docs/seen.md) %d", s.met)
	p("durations off by no more than this machine's host had taken from it meanwhile %d", s.stolen)
	p("resets that said EAGAIN first to a blocking call of a watched client (docs/seen.md) %d", s.again)
	p("counted by the engine: %v", s.drops)
	slices.Sort(s.deviation)
	if n := len(s.deviation); n > 0 {
		p("durations off by: median %s, 99 %% %s, 99.9 %% %s, most %s", s.deviation[n/2], s.deviation[n*99/100], s.deviation[n*999/1000], s.deviation[n-1])
	}
	for _, kind := range slices.Sorted(maps.Keys(s.problems)) {
		p("  %6d  %s", s.problems[kind], kind)
	}
	for _, kind := range slices.Sorted(maps.Keys(s.known)) {
		p("  %6d  %s (known)", s.known[kind], kind)
	}
	table(w, "cast", s.casts)
	if !s.ok() {
		table(w, "feature", s.features)
	}
}

// table prints what has faults, the largest share first.
func table(w io.Writer, what string, all map[string]*tally) {
	var names []string
	for name, t := range all {
		if t.bad > 0 {
			names = append(names, name)
		}
	}
	share := func(name string) float64 { return float64(all[name].bad) / float64(all[name].all) }
	sort.Slice(names, func(i, j int) bool { return share(names[i]) > share(names[j]) })
	if len(names) > 0 {
		_, _ = fmt.Fprintf(w, "conversations with faults by %s:\n", what)
	}
	for _, name := range names {
		_, _ = fmt.Fprintf(w, "  %5.1f %%  %5d of %5d  %s\n", 100*share(name), all[name].bad, all[name].all, name)
	}
}
