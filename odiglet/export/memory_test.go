package export

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/signal"
)

// hasty answers at once and reads the body afterwards, as http.RoundTripper says that it may.
type hasty struct {
	reading sync.WaitGroup
	mu      sync.Mutex
	read    int
	mixed   int
}

func (h *hasty) RoundTrip(r *http.Request) (*http.Response, error) {
	h.reading.Go(func() {
		time.Sleep(time.Millisecond)
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.read++; err != nil || len(bytes.TrimLeft(body, string(body[:1]))) > 0 {
			h.mixed++
		}
	})
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// TestMemoryIsHeldWhileItIsWritten: who used the memory again at the answer would change what is on its way.
func TestMemoryIsHeldWhileItIsWritten(t *testing.T) {
	const size, batches = 100_000, 200
	to := newHTTPTransport(Settings{Endpoint: "http://receiver"}, nil)
	receiver := &hasty{}
	to.client.Transport = receiver
	accounts := books.New()
	p := startPipe(pipe{signal: signal.Traces, transport: to, timeout: 5 * time.Second, backoff: DefaultBackoff(), books: accounts, log: slog.New(slog.DiscardHandler)})
	var pool signal.Pool
	for i := range batches {
		memory := pool.Get(size)
		body := append(memory.Empty(), bytes.Repeat([]byte{'a' + byte(i%26)}, size)...)
		p.enqueue(signal.Batch{Signal: signal.Traces, Body: body, Items: 1, Memory: memory})
		memory.Release()
		time.Sleep(100 * time.Microsecond)
	}
	if err := p.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	receiver.reading.Wait()
	if receiver.read != batches || receiver.mixed > 0 {
		t.Errorf("%d bodies of %d were read, %d of them with bytes of two", receiver.read, batches, receiver.mixed)
	}
}
