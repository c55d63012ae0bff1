package node

import (
	"context"
	"maps"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/odiglet/answers"
	"github.com/odi-dev/odi/odiglet/handover"
)

// answerKey is of what a book is kept: another agent begins another book.
type answerKey struct {
	factKey
	agent string
}

// answerBooks keeps what the containers answer for which an agent is decided. It may be
// used by several goroutines.
type answerBooks struct {
	mu    sync.Mutex
	books map[answerKey]*answers.Book
}

func newAnswerBooks() *answerBooks {
	return &answerBooks{books: make(map[answerKey]*answers.Book)}
}

// desk is where the answers of a process with an environment are counted: nowhere
// unless an agent is decided for its container.
func (a *answerBooks) desk(at place, env map[string]string) answers.Desk {
	agent := at.decided.agents[at.container.name]
	if agent == "" {
		return answers.Desk{}
	}
	key := answerKey{factKey{at.workload, at.container.name}, agent}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.books[key] == nil {
		a.books[key] = new(answers.Book)
	}
	return answers.Desk{Book: a.books[key], HasAgent: handover.AgentOf(env) == agent}
}

// over is what was answered in the slices that are over, while somebody wants to know.
func (a *answerBooks) over(key factKey, d decided, now time.Time) []odiv1.Answers {
	if !now.Before(d.watchUntil) {
		return nil
	}
	a.mu.Lock()
	book := a.books[answerKey{key, d.agents[key.container]}]
	a.mu.Unlock()
	if book == nil {
		return nil
	}
	var all []odiv1.Answers
	for _, s := range book.Over(now) {
		all = append(all, odiv1.Answers{
			At: metav1.NewTime(s.At), Agent: s.Agent, AgentFailed: s.AgentFailed, Plain: s.Plain, PlainFailed: s.PlainFailed,
		})
	}
	return all
}

// run has a report made of each slice that somebody wants to know of, until ctx ends.
func (a *answerBooks) run(ctx context.Context, c *cluster, tell func()) {
	// What ended in a slice has been read from the kernel by then.
	const after = 300 * time.Millisecond
	watched := false
	for {
		now := time.Now()
		wait := time.NewTimer(now.Truncate(answers.Length).Add(answers.Length + after).Sub(now))
		select {
		case now = <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
		before := watched
		watched = a.keep(c.agentsOfWorkloads(now))
		if watched || before { // Once more at the end, which takes the figures away.
			tell()
		}
	}
}

// keep forgets the books of agents that are not decided any more, and says whether one
// that is kept is watched.
func (a *answerBooks) keep(decided map[answerKey]bool) (watched bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.books, func(key answerKey, _ *answers.Book) bool {
		isWatched, kept := decided[key]
		watched = watched || isWatched
		return !kept
	})
	return watched
}

// agentsOfWorkloads are the agents that are decided, and whether they are watched.
func (c *cluster) agentsOfWorkloads(now time.Time) map[answerKey]bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := make(map[answerKey]bool)
	for ref, d := range c.workloads {
		for container, agent := range d.agents {
			all[answerKey{factKey{ref, container}, agent}] = now.Before(d.watchUntil)
		}
	}
	return all
}
