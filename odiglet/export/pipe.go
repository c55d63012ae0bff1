package export

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

// pipe is the bounded queue of one signal and the goroutines that send from it.
// Every item that enters ends in the books as sent or as dropped, exactly once.
type pipe struct {
	signal    *signal.Signal
	transport transport
	timeout   time.Duration
	backoff   Backoff
	books     *books.Books
	// counts says that nobody has counted the items before they come here.
	counts bool
	log    *slog.Logger
	// secrets are not to be told.
	secrets hidden

	*flow
}

// flow is the running part of a pipe.
type flow struct {
	queue  *queue
	ctx    context.Context // ends when the time to drain is over
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu   sync.Mutex
	last error
}

func startPipe(p pipe) *pipe {
	p.flow = &flow{queue: newQueue(p.signal.QueueBytes)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for range p.signal.Senders {
		p.done.Go(p.sendAll)
	}
	return &p
}

// enqueue takes a batch. Where the queue is full, those lose who fill it.
func (p *pipe) enqueue(b signal.Batch) {
	if b.Items == 0 {
		return
	}
	if p.counts {
		p.books.Seen(b.Items)
	}
	if b.Body == nil {
		p.note(errNotEncoded)
		p.books.Drop(loss.Rejected, b.Items)
		return
	}
	for _, lost := range p.queue.put(b) {
		p.books.Drop(loss.QueueFull, lost.Items)
		if lost.Owner.Name != "" {
			p.books.Name(lost.Owner.Name, loss.QueueFull, uint64(lost.Items))
		}
	}
}

func (p *pipe) sendAll() {
	for {
		b, ok := p.queue.next()
		if !ok {
			return
		}
		p.deliver(b)
		p.queue.done(b)
	}
}

// deliver tries until the batch is taken, refused for good, or out of time.
func (p *pipe) deliver(b signal.Batch) {
	start := time.Now()
	for n := 1; ; n++ {
		if p.ctx.Err() != nil {
			p.books.Drop(loss.Shutdown, b.Items)
			return
		}
		refused, err := p.try(b)
		if err == nil {
			refused = min(max(refused, 0), b.Items)
			p.books.Sent(b.Items - refused)
			p.books.Drop(loss.Rejected, refused)
			return
		}
		if p.ctx.Err() != nil {
			continue
		}
		if first, second, ok := p.halve(b); ok && tooLarge(err) {
			// What one of them brought with it does not cost the others.
			p.deliver(first)
			p.deliver(second)
			return
		}
		p.note(err)
		wait, again := p.backoff.pause(n, err, time.Since(start))
		if !again {
			p.books.Drop(giveUpReason(err), b.Items)
			return
		}
		p.sleep(jitter(wait))
	}
}

// try sends once and returns how many items the receiver refused.
func (p *pipe) try(b signal.Batch) (int, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.timeout)
	defer cancel()
	answer, err := p.transport.send(ctx, b)
	if err != nil {
		return 0, err
	}
	refused, words, err := p.signal.Refused(answer)
	if err != nil {
		// The batch was taken; an answer that cannot be read changes nothing.
		refused, words = 0, ""
	}
	if refused > 0 {
		p.note(errors.New("the receiver refused a part: " + words))
		return refused, nil
	}
	p.note(nil)
	return 0, nil
}

func giveUpReason(err error) loss.Name {
	var r *refusal
	if errors.As(err, &r) && r.again {
		return loss.RetriesSpent
	}
	return loss.Rejected
}

func (p *pipe) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ctx.Done():
	}
}

// note remembers the latest outcome and logs only its changes. Who refuses may say back what
// it was told: that is the receiver's secret, and no log's.
func (p *pipe) note(err error) {
	err = p.secrets.hide(err)
	p.mu.Lock()
	before := p.last
	p.last = err
	p.mu.Unlock()
	switch {
	case err != nil && before == nil:
		p.log.Warn("export fails", "signal", p.signal.Name, "error", err)
	case err == nil && before != nil:
		p.log.Info("export works again", "signal", p.signal.Name)
	}
}

func (p *pipe) lastError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// close waits for the queue to drain. When ctx ends first, what is left is
// dropped, so that the books still close.
func (p *pipe) close(ctx context.Context) error {
	p.queue.close()
	stop := context.AfterFunc(ctx, p.cancel)
	p.done.Wait()
	stop()
	p.cancel()
	return p.transport.close()
}
