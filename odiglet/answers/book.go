package answers

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// Length of a slice: a pod is watched for 20 s before others follow, in which two
	// whole slices have ended and were told.
	Length = 5 * time.Second
	// kept is how many slices are kept, the one that is not over yet included.
	kept = 13
)

// Slice is what was answered from At on, for Length.
type Slice struct {
	At                                     time.Time
	Agent, AgentFailed, Plain, PlainFailed int64
}

// Book counts the answers of one container. It may be used by several goroutines.
type Book struct {
	mu     sync.Mutex
	slices [kept]Slice // each where its time belongs
}

// Desk is the side of a book on which the answers of a process are counted. The zero one counts none.
type Desk struct {
	Book *Book
	// HasAgent says that the process has the agent that was decided.
	HasAgent bool
}

// Count notes n answers.
func (d Desk) Count(failed bool, n uint64, at time.Time) {
	if d.Book == nil {
		return
	}
	d.Book.mu.Lock()
	defer d.Book.mu.Unlock()
	s := d.Book.slice(at)
	if s == nil {
		return
	}
	all, bad := &s.Plain, &s.PlainFailed
	if d.HasAgent {
		all, bad = &s.Agent, &s.AgentFailed
	}
	*all += int64(n)
	if failed {
		*bad += int64(n)
	}
}

// slice is the one of a time; nil for one that was long ago. b.mu is held.
func (b *Book) slice(at time.Time) *Slice {
	begin := at.Truncate(Length)
	s := &b.slices[begin.Unix()/int64(Length/time.Second)%kept]
	switch {
	case begin.Before(s.At):
		return nil
	case begin.After(s.At):
		*s = Slice{At: begin}
	}
	return s
}

// Over lists the slices that are over and not older than a minute, the oldest first.
// Those in which nothing was answered are left out.
func (b *Book) Over(now time.Time) []Slice {
	end := now.Truncate(Length)
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Slice
	for _, s := range b.slices {
		if s.At.Before(end) && !s.At.Before(end.Add(-(kept-1)*Length)) && s.Agent+s.Plain > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Slice) int { return cmp.Compare(a.At.Unix(), b.At.Unix()) })
	return all
}
