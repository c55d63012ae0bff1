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
	"time"
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

func (t *httpTransport) send(ctx context.Context, body []byte) ([]byte, error) {
	req, err := t.request(ctx, body)
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

func (t *httpTransport) request(ctx context.Context, body []byte) (*http.Request, error) {
	if t.settings.Gzip {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(body); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		body = b.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.settings.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
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
