package export

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
)

// queueSlots bounds the number of queued batches, whatever their size.
const queueSlots = 1024

// payload is one encoded batch.
type payload struct {
	body  []byte
	items int
}

// pipe is the bounded queue of one signal and the goroutines that send from it.
// Every item that enters ends in the books as sent or as dropped, exactly once.
type pipe struct {
	signal    Signal
	transport transport
	timeout   time.Duration
	backoff   Backoff
	books     *books.Books
	limit     int64
	log       *slog.Logger
	// rejected reads a receiver's answer: how many items of the batch it refused.
	rejected func(answer []byte) (int, string, error)
	// split makes two batches of one.
	split func(payload) (payload, payload, error)

	*flow
}

// flow is the running part of a pipe.
type flow struct {
	queue  chan payload
	queued atomic.Int64
	ctx    context.Context // ends when the time to drain is over
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu   sync.Mutex
	last error
}

func startPipe(p pipe, senders int) *pipe {
	p.flow = &flow{queue: make(chan payload, queueSlots)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for range senders {
		p.done.Go(p.sendAll)
	}
	return &p
}

// enqueue takes a batch, or drops it when the queue is full. encodingErr is that
// of the batch's encoding, which only a defect of ours can cause.
func (p *pipe) enqueue(b payload, encodingErr error) {
	if b.items == 0 {
		return
	}
	if encodingErr != nil {
		p.note(encodingErr)
		p.books.Drop(loss.Rejected, b.items)
		return
	}
	size := int64(len(b.body))
	if p.queued.Add(size) > p.limit {
		p.queued.Add(-size)
		p.books.Drop(loss.QueueFull, b.items)
		return
	}
	select {
	case p.queue <- b:
	default:
		p.queued.Add(-size)
		p.books.Drop(loss.QueueFull, b.items)
	}
}

func (p *pipe) sendAll() {
	for b := range p.queue {
		p.deliver(b)
		p.queued.Add(-int64(len(b.body)))
	}
}

// deliver tries until the batch is taken, refused for good, or out of time.
func (p *pipe) deliver(b payload) {
	start := time.Now()
	for n := 1; ; n++ {
		if p.ctx.Err() != nil {
			p.books.Drop(loss.Shutdown, b.items)
			return
		}
		refused, err := p.try(b)
		if err == nil {
			refused = min(max(refused, 0), b.items)
			p.books.Sent(b.items - refused)
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
			p.books.Drop(giveUpReason(err), b.items)
			return
		}
		p.sleep(jitter(wait))
	}
}

// try sends once and returns how many items the receiver refused.
func (p *pipe) try(b payload) (int, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.timeout)
	defer cancel()
	answer, err := p.transport.send(ctx, b.body)
	if err != nil {
		return 0, err
	}
	refused, words, err := p.rejected(answer)
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

// note remembers the latest outcome and logs only its changes.
func (p *pipe) note(err error) {
	p.mu.Lock()
	before := p.last
	p.last = err
	p.mu.Unlock()
	switch {
	case err != nil && before == nil:
		p.log.Warn("export fails", "signal", p.signal, "error", err)
	case err == nil && before != nil:
		p.log.Info("export works again", "signal", p.signal)
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
	close(p.queue)
	stop := context.AfterFunc(ctx, p.cancel)
	p.done.Wait()
	stop()
	p.cancel()
	return p.transport.close()
}
