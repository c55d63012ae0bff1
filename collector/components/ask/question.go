package ask

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// Answer is what came of one signal.
type Answer struct {
	Signal string `json:"signal"`
	// Words of the exporter where it did not get rid of the data.
	Words string `json:"words,omitempty"`
	// URL that was asked, over HTTP alone.
	URL string `json:"url,omitempty"`
	// Reached is the last step of an HTTP request that went well: name, connection, tls, request or answer.
	Reached string `json:"reached,omitempty"`
	// Status, ContentType and Body of an answer over HTTP. The body is there where the answer is no plain success.
	Status      int    `json:"status,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	Body        string `json:"body,omitempty"`
	// SkewSeconds is how far this machine's clock is ahead of the backend's, by the answer's Date.
	SkewSeconds int64 `json:"skewSeconds,omitempty"`
	// Rejected counts what the backend did not keep of data that it took; Message says why, or warns.
	Rejected int64  `json:"rejected,omitempty"`
	Message  string `json:"message,omitempty"`
	// Milliseconds until the answer.
	Milliseconds int64 `json:"milliseconds"`
}

// Question is asked once, of all signals at the same time. It is safe for
// concurrent use.
type Question struct {
	mark Mark

	mu      sync.Mutex
	answers map[string]*Answer
	open    int    // signals whose exporter has not returned
	names   string // why a name was not found
	tokens  []string
	done    chan struct{}
}

// NewQuestion is one for a destination, namespace/name.
func NewQuestion(destination string) *Question {
	return &Question{mark: newMark(destination), answers: map[string]*Answer{}, done: make(chan struct{})}
}

// TraceID is that of the span and the log record, to look for at the backend.
func (q *Question) TraceID() string { return q.mark.Trace.String() }

// Expect says of which signals answers will come, before any is asked.
func (q *Question) Expect(signals []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = len(signals)
	for _, signal := range signals {
		q.answers[signal] = &Answer{Signal: signal, Words: unanswered}
	}
}

// unanswered is what is said of a signal until something comes of it.
const unanswered = "context deadline exceeded"

// Done is closed once each signal has its answer.
func (q *Question) Done() <-chan struct{} { return q.done }

// Keep takes a token that was fetched for the question, so that no answer has it.
func (q *Question) Keep(token string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tokens = append(q.tokens, token)
}

// Answers are those so far, with all secrets taken out.
func (q *Question) Answers(s Secrets) []Answer {
	q.mu.Lock()
	defer q.mu.Unlock()
	s = s.With(q.tokens...)
	var all []Answer
	for _, a := range q.answers {
		said := *a
		said.Words, said.Message = s.Hide(said.Words, longestWords), s.Hide(said.Message, longestWords)
		said.Body, said.URL = s.Hide(said.Body, longestWords), s.Hide(said.URL, longestWords)
		said.ContentType = s.Hide(said.ContentType, longestWords)
		all = append(all, said)
	}
	slices.SortFunc(all, func(a, b Answer) int { return order(a.Signal) - order(b.Signal) })
	return all
}

// longestWords is what people read of an answer; a backend may send a whole page.
const longestWords = 2048

func order(signal string) int { return slices.Index([]string{"traces", "metrics", "logs"}, signal) }

// ask sends one signal and remembers what came of it.
func (q *Question) ask(ctx context.Context, signal string, send func(context.Context) error) {
	begin := time.Now()
	err := send(context.WithValue(ctx, signalKey{}, signal))
	if ctx.Err() != nil {
		return // The collector ends: that is nobody's answer.
	}
	q.note(signal, func(a *Answer) {
		a.Milliseconds = time.Since(begin).Milliseconds()
		if a.Words = ""; err != nil {
			a.Words = q.withName(strings.TrimPrefix(err.Error(), "Permanent error: "))
		}
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open--; q.open == 0 {
		close(q.done)
	}
}

// note changes what is known of a signal.
func (q *Question) note(signal string, change func(*Answer)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.answers[signal] == nil {
		q.answers[signal] = &Answer{Signal: signal}
	}
	change(q.answers[signal])
}

// signalKey is that of the signal in the context of what an exporter does for it.
type signalKey struct{}
