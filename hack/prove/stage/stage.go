package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/hack/prove/oracle"
	"github.com/odi-dev/odi/hack/prove/peer"
	"github.com/odi-dev/odi/hack/prove/script"
	"github.com/odi-dev/odi/hack/prove/talk"
)

// Stage is an engine and what it has seen. Close frees it.
type Stage struct {
	// Odd is how many foreign conversations had a reset that said EAGAIN first to a
	// call that waited, as the kernel has it for sockets in a socket map (docs/seen.md).
	Odd int

	engine *bpf.Engine
	cancel context.CancelFunc
	done   chan error

	mu    sync.Mutex
	spans map[uint32][]oracle.Span // by process
	count int
	last  time.Time
}

// Open loads an engine.
func Open() (*Stage, error) {
	e, err := bpf.Load(bpf.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Stage{engine: e, cancel: cancel, done: make(chan error, 1), spans: map[uint32][]oracle.Span{}}
	go func() { s.done <- e.Run(ctx, s.add) }()
	return s, nil
}

// Bare is a stage without an engine: what goes wrong there is wrong with the stage.
func Bare() *Stage { return &Stage{spans: map[uint32][]oracle.Span{}} }

// Close takes the engine out of the kernel.
func (s *Stage) Close() error {
	if s.engine == nil {
		return nil
	}
	s.cancel()
	return errors.Join(<-s.done, s.engine.Close())
}

func (s *Stage) add(exchange *probe.Exchange) {
	x := *exchange
	x.RequestHead = bytes.Clone(x.RequestHead)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans[x.PID] = append(s.spans[x.PID], oracle.Span{Exchange: x})
	s.count++
	s.last = time.Now()
}

// take returns what was seen of a process, once there are n spans or none has come
// for a while.
func (s *Stage) take(n int, pids ...uint32) []oracle.Span {
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		have := 0
		for _, pid := range pids {
			have += len(s.spans[pid])
		}
		quiet := time.Since(s.last)
		s.mu.Unlock()
		if have >= n && quiet > 60*time.Millisecond || time.Since(begin) > 400*time.Millisecond && quiet > 400*time.Millisecond {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []oracle.Span
	for _, pid := range pids {
		all = append(all, s.spans[pid]...)
		delete(s.spans, pid)
	}
	return all
}

// Cast says who plays.
type Cast struct {
	Server, Client string // Go or C
	Traced         oracle.Traced
	Family         string // v4, v6, mapped
	Width          int    // connections at a time
}

// The runtimes of peers.
const (
	Go = "go"
	C  = "c"
)

func (c Cast) String() string {
	mark := func(name string, traced bool) string {
		if traced {
			return name + "*"
		}
		return name
	}
	return fmt.Sprintf("%s to %s, %s, %d at a time", mark(c.Client, c.Traced.Client), mark(c.Server, c.Traced.Server), c.Family, c.Width)
}

// Report is what came of some conversations.
type Report struct {
	Verdicts []*oracle.Verdict
	Drops    map[string]uint64 // counted meanwhile
}

// lossReasons are those that a missing span may be counted under.
var lossReasons = []string{"ring_full", "pipelined", "unparsable", "unreadable", "table_full"}

// Uncounted tells how many spans and headers are missing without being counted.
func (r *Report) Uncounted() (spans, headers int) {
	for _, v := range r.Verdicts {
		spans += v.Lost
		headers += v.NoHeader
	}
	for _, reason := range lossReasons {
		spans -= int(r.Drops[reason])
	}
	return max(spans, 0), max(headers-int(r.Drops["header_not_written"]+r.Drops["header_impossible"]), 0)
}

// Play has the conversations played, each by a connection of its own.
func (s *Stage) Play(cast Cast, all []talk.Conversation) (*Report, error) {
	if cast.Family == peer.Unix {
		all = named(all)
	}
	drops := s.drops()
	p, err := hire(cast)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := s.watch(cast, p); err != nil {
		return nil, err
	}
	before := stolen()
	clients, servers, err := p.perform(len(all), func(i int) (client, server *script.Side) { return all[i].Render(uint32(i)) })
	if err != nil {
		return nil, fmt.Errorf("playing %s: %w", cast, err)
	}
	taken := stolen() - before
	wants, n := wantsOf(cast, all)
	spans := s.take(n, p.server.pid(), p.client.pid())
	report := &Report{Drops: map[string]uint64{}}
	for reason, n := range s.drops() {
		report.Drops[reason] = n - drops[reason]
	}
	conversation := finder(cast, p, spans)
	for i := range all {
		seen := oracle.Seen{Client: clients[uint32(i)], Server: servers[uint32(i)], Narrow: all[i].SendBuf > 0, Untold: cast.Family == peer.Unix, Stolen: taken}
		if seen.Client != nil {
			seen.Spans = own(i, conversation(i, seen.Client.Port))
		}
		report.Verdicts = append(report.Verdicts, oracle.Judge(wants[i], seen, cast.Traced))
	}
	return report, nil
}

func (s *Stage) drops() map[string]uint64 {
	if s.engine == nil {
		return nil
	}
	return s.engine.Drops()
}

func (s *Stage) watch(cast Cast, p *players) error {
	if cast.Traced.Server {
		if err := s.engine.AddTarget(probe.Target{PID: p.server.pid(), Propagate: true}); err != nil {
			return err
		}
	}
	if cast.Traced.Client {
		return s.engine.AddTarget(probe.Target{PID: p.client.pid(), Propagate: true})
	}
	return nil
}

func wantsOf(cast Cast, all []talk.Conversation) (wants [][]talk.Want, spans int) {
	for _, c := range all {
		w := c.Wants()
		wants = append(wants, w)
		if cast.Traced.Server {
			spans += len(w)
		}
		if cast.Traced.Client {
			spans += len(w)
		}
	}
	return wants, spans
}
