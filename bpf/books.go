package bpf

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync"
)

// dropNames are the reasons in the order of enum drop in include/types.h.
var dropNames = []string{
	"ring_full",          // the reader was too slow: the request is lost
	"pipelined",          // more requests in flight on a connection than are kept: lost
	"unparsable",         // what followed on an HTTP connection was not HTTP: lost
	"unreadable",         // a head was moved by io_uring, splice or sendfile: lost
	"table_full",         // a link or a header is missing, the request is not
	"notice_full",        // a process event is lost
	"too_many_pieces",    // the rest of a call was skipped; the next request is seen again
	"header_not_written", // the request went out without traceparent
	"header_impossible",  // ... over a Unix socket or MPTCP, where none can be written
	"truncated",          // the request head was longer than what is kept
}

const countExchanges = 10

const detached = "detached"

// madeHere are the reasons that the programs do not know, but those who read what they tell.
var madeHere = []string{
	detached,        // it ended, or was read, after its process was no target any more
	"joined_midway", // fields of its head had been said before the connection was seen
	"no_messages",   // asked of a broker, and none came or went: left out
}

// DropNames are all the names that Drops counts by.
func DropNames() []string { return slices.Concat(dropNames, madeHere) }

// unmade counts what whoever reads the events, or puts the parts of requests together, has lost.
type unmade struct {
	mu sync.Mutex
	of map[Loser]uint64
}

// losersMax bounds the processes that are told apart, as the programs' table is.
const losersMax = 2048

func (u *unmade) add(pid uint32, reason string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	of := Loser{PID: pid, Reason: reason}
	if _, known := u.of[of]; !known && len(u.of) >= losersMax {
		of.PID = 0
	}
	if u.of == nil {
		u.of = make(map[Loser]uint64)
	}
	u.of[of]++
}

func (u *unmade) each(f func(Loser, uint64)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for of, n := range u.of {
		f(of, n)
	}
}

// Drops returns how many requests or events were lost since Load, by reason;
// after Close, how many that were.
func (e *Engine) Drops() map[string]uint64 {
	e.mu.Lock()
	last := e.drops
	e.mu.Unlock()
	if last != nil {
		return maps.Clone(last)
	}
	drops := make(map[string]uint64, len(dropNames))
	for _, name := range madeHere {
		drops[name] = 0
	}
	for i, name := range dropNames {
		drops[name] = e.counter(uint32(i))
	}
	e.unmade.each(func(of Loser, n uint64) { drops[of.Reason] += n })
	return drops
}

// Loser is a process that has lost something, by its number in /proc; 0 is one that
// was gone already.
type Loser struct {
	PID    uint32
	Reason string // as in Drops
}

// loser is struct loser of include/maps.h.
type loser struct {
	PID  uint32
	What uint32
}

// Losers returns whose losses those of Drops are, as far as that is known: of many
// processes, those that have lost nothing for the longest time are missing, and begin
// again at 0. Nothing after Close.
func (e *Engine) Losers() map[Loser]uint64 {
	losers := make(map[Loser]uint64)
	table := e.maps["losers"]
	if table == nil {
		return losers
	}
	var (
		of loser
		n  uint64
	)
	for rows := table.Iterate(); rows.Next(&of, &n); {
		if int(of.What) < len(dropNames) {
			losers[Loser{PID: of.PID, Reason: dropNames[of.What]}] = n
		}
	}
	e.unmade.each(func(of Loser, n uint64) { losers[of] += n })
	return losers // an iteration that the programs have cut short is made again later
}

// counter sums one counter over all CPUs; 0 where it cannot be read.
func (e *Engine) counter(i uint32) uint64 {
	var perCPU []uint64
	if err := e.maps["counts"].Lookup(i, &perCPU); err != nil {
		return 0
	}
	var sum uint64
	for _, n := range perCPU {
		sum += n
	}
	return sum
}

// Stats is what the engine costs.
type Stats struct {
	// Programs are sorted by name.
	Programs []ProgramStats
	// MapBytes is the kernel memory of all maps.
	MapBytes uint64
	// Exchanges is the number of finished requests that the kernel reported.
	Exchanges uint64
}

// ProgramStats is the cost of one program. RunTimeNanos stays 0 unless the
// kernel's BPF statistics are on.
type ProgramStats struct {
	Name         string
	Runs         uint64
	RunTimeNanos uint64
}

// Stats reads the cost of the engine so far.
func (e *Engine) Stats() (Stats, error) {
	s := Stats{Exchanges: e.counter(countExchanges)}
	for name, p := range e.progs {
		st, err := p.Stats()
		if err != nil {
			return s, fmt.Errorf("reading statistics of %s: %w", name, err)
		}
		s.Programs = append(s.Programs, ProgramStats{Name: name, Runs: st.RunCount, RunTimeNanos: uint64(st.Runtime)})
	}
	sort.Slice(s.Programs, func(i, j int) bool { return s.Programs[i].Name < s.Programs[j].Name })
	for name, m := range e.maps {
		info, err := m.Info()
		if err != nil {
			return s, fmt.Errorf("reading the size of map %s: %w", name, err)
		}
		if bytes, ok := info.Memlock(); ok {
			s.MapBytes += bytes
		}
	}
	s.MapBytes += e.batches.bytes()
	return s, nil
}
