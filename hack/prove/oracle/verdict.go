package oracle

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/hack/prove/script"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// Traced says which sides of a conversation are watched.
type Traced struct {
	Server, Client bool
}

// Span is an exchange whose bytes are copied.
type Span struct {
	probe.Exchange
}

// Seen is all that is known of a conversation after it was played.
type Seen struct {
	Client, Server *script.Result
	Spans          []Span
	// Narrow says that the client's send buffer is small: its call may wait for room
	// before a request.
	Narrow bool
	// Untold says that nothing may tell of a close but the other side, when it meets it.
	Untold bool
	// Stolen is the time in which the machine's own host let it not run while this was played: no
	// clock inside can tell that from a call that took long (the column steal of /proc/stat).
	Stolen time.Duration
}

// Verdict is what the oracle says of one conversation.
type Verdict struct {
	Sent      int // spans that ought to be there
	Lost      int // ... and are not
	Problems  []Problem
	NoHeader  int // requests of a traced client that went out without a header
	Deviation []time.Duration
	Cut       int // heads of which less than the first KiB was kept
	Waited    int // client spans that began when a call returned that waited for room, as docs/seen.md has it
	Met       int // spans that ended when the other side met the end, as docs/seen.md has it
	Stolen    int // durations that are off by no more than the machine's host had taken meanwhile
	Again     int // resets that said EAGAIN first to a watched client, as docs/seen.md has it
}

// Problem is one thing that is lost or wrong.
type Problem struct {
	Kind string // few: for tables
	Text string
}

// Bad tells whether anything is lost or wrong.
func (v *Verdict) Bad() bool { return len(v.Problems) > 0 }

func (v *Verdict) wrong(kind, format string, args ...any) {
	v.Problems = append(v.Problems, Problem{kind, fmt.Sprintf(format, args...)})
}

// Judge compares.
func Judge(wants []talk.Want, seen Seen, traced Traced) *Verdict {
	v := &Verdict{}
	v.played("client", seen.Client)
	v.played("server", seen.Server)
	if v.Bad() {
		return v
	}
	for side, r := range map[string]*script.Result{"client": seen.Client, "server": seen.Server} {
		if r.Odd == script.ResetSaysAgain && side == "client" && traced.Client {
			v.Again++
		} else if r.Odd != "" {
			v.wrong("error of a call of the "+side, "the %s: %s", side, r.Odd)
		}
	}
	headers := headersOf(wants, seen.Server)
	j := judge{Verdict: v, wants: wants, headers: headers, narrow: seen.Narrow, untold: seen.Untold, last: lastOf(seen), stolen: seen.Stolen}
	if traced.Client {
		j.clients = j.side(probe.Client, seen.Spans, seen.Client.Times)
	} else {
		j.none(probe.Client, seen.Spans)
	}
	if traced.Server {
		servers := j.side(probe.Server, seen.Spans, seen.Server.Times)
		j.parents(servers)
	} else {
		j.none(probe.Server, seen.Spans)
	}
	j.propagation(traced.Client)
	return v
}

// played tells whether the bytes moved as they ought to.
func (v *Verdict) played(side string, r *script.Result) {
	switch {
	case r == nil:
		v.wrong("no report", "the %s did not report", side)
	case r.Fault != "":
		v.wrong("bytes or calls of the "+side, "the %s: %s", side, r.Fault)
	}
}

// headersOf gives each request the header that came with it.
func headersOf(wants []talk.Want, server *script.Result) []string {
	all := make([]string, len(wants))
	next := 0
	for i, w := range wants {
		if w.Trace != "" || w.BadOwn {
			continue
		}
		if next < len(server.Headers) {
			all[i] = server.Headers[next]
		}
		next++
	}
	return all
}

// judge is one comparison.
type judge struct {
	*Verdict
	wants   []talk.Want
	headers []string // written by the engine
	narrow  bool
	untold  bool
	last    int64 // when the later side was done, in nanoseconds of CLOCK_MONOTONIC
	// stolen is Seen.Stolen.
	stolen  time.Duration
	clients []*Span // by request; nil: lost
}

// lastOf is when the later side was done: until then it may have met the other's end.
func lastOf(seen Seen) int64 {
	last := int64(0)
	for _, side := range []*script.Result{seen.Client, seen.Server} {
		for _, t := range side.Times {
			last = max(last, t.FinishTo)
		}
	}
	return last
}

func (j *judge) none(kind probe.Kind, spans []Span) {
	for _, s := range spans {
		if s.Kind == kind {
			j.wrong("span of another process", "a span of a process that is not watched: %.60q", s.RequestHead)
		}
	}
}

// side finds the span of each request and checks it. Of several with one first line it
// is the one with the request's head: spans that began within microseconds of each other
// may change places, as wall time is read anew now and then (bpf/clock.go).
func (j *judge) side(kind probe.Kind, spans []Span, times []script.Times) []*Span {
	var mine []*Span
	for i := range spans {
		if spans[i].Kind == kind {
			mine = append(mine, &spans[i])
		}
	}
	slices.SortStableFunc(mine, func(a, b *Span) int { return a.Start.Compare(b.Start) })
	found := make([]*Span, len(j.wants))
	for i, w := range j.wants {
		j.Sent++
		at := slices.IndexFunc(mine, func(s *Span) bool { return s != nil && isOf(s, w) && j.keeps(i, s) })
		if at < 0 {
			at = slices.IndexFunc(mine, func(s *Span) bool { return s != nil && isOf(s, w) })
		}
		if at < 0 {
			j.Lost++
			j.wrong("lost "+name(kind)+" span", "request %d (%.60s): no %s span", i, w.Line, name(kind))
			continue
		}
		found[i], mine[at] = mine[at], nil
		j.check(i, found[i], times[i])
	}
	for _, s := range mine {
		if s != nil {
			j.wrong("extra "+name(kind)+" span", "a %s span that nobody asked for: status %d, %.60q", name(kind), s.StatusCode, s.RequestHead)
		}
	}
	return found
}

func name(k probe.Kind) string {
	if k == probe.Server {
		return "server"
	}
	return "client"
}

// isOf tells whether the span's first line is that of the request.
func isOf(s *Span, w talk.Want) bool {
	head := bytes.TrimLeft(s.RequestHead, "\r\n")
	line, rest, _ := bytes.Cut(head, []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	if len(rest) > 0 || len(line) >= len(w.Line) {
		return string(line) == w.Line
	}
	return len(line) >= min(len(w.Line), shortest) && w.Line[:len(line)] == string(line)
}

// shortest is how much of a first line has to be kept.
const shortest = 60
