package export

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/odi-dev/odi/odiglet/signal"
)

// maxAnswer bounds what is read of a receiver's answer; a real one is below 100 bytes.
const maxAnswer = 64 << 10

type httpTransport struct {
	settings Settings
	client   *http.Client
	now      func() time.Time
}

func newHTTPTransport(s Settings, config *tls.Config) *httpTransport {
	return &httpTransport{
		settings: s,
		now:      time.Now,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				TLSClientConfig:     config,
				ForceAttemptHTTP2:   true,
				MaxIdleConnsPerHost: 2,
				IdleConnTimeout:     90 * time.Second,
			},
			// A redirect of a POST would lose the body or the credentials.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (t *httpTransport) send(ctx context.Context, b signal.Batch) ([]byte, error) {
	req, err := t.request(ctx, b)
	if err != nil {
		return nil, permanent("building the OTLP request: %w", err)
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, &refusal{again: true, err: err}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, &refusal{again: true, err: fmt.Errorf("reading the answer: %w", err)}
	}
	if resp.StatusCode/100 == 2 {
		return answer, nil
	}
	return nil, &refusal{
		again:    retryableStatus(resp.StatusCode),
		after:    retryAfter(resp.Header.Get("Retry-After"), t.now()),
		tooLarge: resp.StatusCode == http.StatusRequestEntityTooLarge,
		err:      fmt.Errorf("POST %s: %s%s", t.settings.Endpoint, resp.Status, words(resp, answer)),
	}
}

func (t *httpTransport) request(ctx context.Context, b signal.Batch) (*http.Request, error) {
	body, memory := b.Body, b.Memory
	if t.settings.Gzip {
		var err error
		if body, err = compressed(body); err != nil {
			return nil, err
		}
		memory = nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.settings.Endpoint, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return read(body, memory), nil }
	req.Body = read(body, memory)
	for k, v := range t.settings.Headers {
		req.Header.Set(k, v)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", userAgent())
	if t.settings.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	return req, nil
}

func compressed(body []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// reading is the body of a request. It holds the memory until it is closed, as it always is, but it may
// be read by another goroutine until then.
type reading struct {
	mu     sync.Mutex
	left   []byte
	memory *signal.Memory
	closed bool
}

func read(body []byte, memory *signal.Memory) *reading {
	memory.Hold()
	return &reading{left: body, memory: memory}
}

// Read implements io.Reader.
func (r *reading) Read(to []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, http.ErrBodyReadAfterClose
	case len(r.left) == 0:
		return 0, io.EOF
	}
	n := copy(to, r.left)
	r.left = r.left[n:]
	return n, nil
}

// Close implements io.Closer.
func (r *reading) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.memory.Release()
	}
	return nil
}

func (t *httpTransport) close() error {
	t.client.CloseIdleConnections()
	return nil
}

// retryableStatus follows the OTLP specification: these four and no other.
func retryableStatus(code int) bool {
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter reads seconds or an HTTP date.
func retryAfter(header string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(header); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// words returns a textual answer for the error message.
func words(resp *http.Response, answer []byte) string {
	if len(answer) == 0 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		return ""
	}
	return ": " + strings.TrimSpace(string(answer[:min(len(answer), 200)]))
}
