package traffic

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// requestTimeout is far above what the shop needs, so that only a request
// that hangs meets it.
const requestTimeout = 15 * time.Second

// Load is what to send. It is sent by Concurrency clients, each with one
// request open at a time, until Requests are sent or For has passed.
type Load struct {
	// URL is the front door, such as http://nginx.shop:8080. The certificate of one with https is not checked.
	URL string `json:"url"`
	// Path comes before the marker. Empty means /checkout/.
	Path string `json:"path,omitempty"`
	// Name begins every marker: a load's markers are Name-000001 and so on.
	Name string `json:"name"`
	// Requests bounds the number of requests; 0 means no bound but For.
	Requests int `json:"requests,omitempty"`
	// For bounds the time in which requests are started; 0 means no bound but Requests.
	For time.Duration `json:"for,omitempty"`
	// Concurrency is the number of clients; 0 means 1.
	Concurrency int `json:"concurrency,omitempty"`
	// Pause is the time that a client waits between two requests.
	Pause time.Duration `json:"pause,omitempty"`
	// Body is sent by POST. Empty means GET.
	Body string `json:"body,omitempty"`
	// Traceparent makes the client send a traceparent of its own with each request.
	Traceparent bool `json:"traceparent,omitempty"`
}

// Result is one request as its client saw it.
type Result struct {
	Marker string    `json:"marker"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	// Status is the HTTP status; 0 when no response arrived.
	Status int `json:"status"`
	// Error says why no complete response arrived.
	Error string `json:"error,omitempty"`
	// TraceID and SpanID are what the client sent in traceparent, if it did.
	TraceID string `json:"traceId,omitempty"`
	SpanID  string `json:"spanId,omitempty"`
}

// Failed says that the client did not get a complete 200.
func (r Result) Failed() bool { return r.Error != "" || r.Status != http.StatusOK }

// Duration is what the client's clock measured.
func (r Result) Duration() time.Duration { return r.End.Sub(r.Start) }

// Validate refuses a load that would send nothing or never end.
func (l Load) Validate() error {
	switch {
	case l.URL == "":
		return fmt.Errorf("a load needs a url")
	case l.Name == "" || strings.ContainsAny(l.Name, "/? "):
		return fmt.Errorf("a load needs a name without slash, question mark or space, not %q", l.Name)
	case l.Requests <= 0 && l.For <= 0:
		return fmt.Errorf("a load needs a bound: requests or for")
	}
	return nil
}

// Run sends the load and returns one result per request, in the order of
// their markers. It stops starting requests when ctx ends; a failed request
// is a result, not an error.
func Run(ctx context.Context, l Load) ([]Result, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	clients := max(l.Concurrency, 1)
	transport := &http.Transport{
		MaxIdleConnsPerHost: clients,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // The shop makes its own, of which nobody here knows.
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: requestTimeout}

	tickets := make(chan int)
	go l.issue(ctx, tickets)

	var (
		mu      sync.Mutex
		results = map[int]Result{}
		done    sync.WaitGroup
	)
	for range clients {
		done.Go(func() {
			for n := range tickets {
				r := l.send(ctx, client, n)
				mu.Lock()
				results[n] = r
				mu.Unlock()
				time.Sleep(l.Pause)
			}
		})
	}
	done.Wait()

	ordered := make([]Result, 0, len(results))
	for n := 1; n <= len(results); n++ {
		ordered = append(ordered, results[n])
	}
	return ordered, nil
}

// issue hands out request numbers until a bound is met.
func (l Load) issue(ctx context.Context, tickets chan<- int) {
	defer close(tickets)
	var timeUp <-chan time.Time
	if l.For > 0 {
		timer := time.NewTimer(l.For)
		defer timer.Stop()
		timeUp = timer.C
	}
	for n := 1; l.Requests <= 0 || n <= l.Requests; n++ {
		select {
		case tickets <- n:
		case <-timeUp:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Marker is the marker of the load's nth request; the first is 1.
func (l Load) Marker(n int) string { return fmt.Sprintf("%s-%06d", l.Name, n) }

func (l Load) send(ctx context.Context, client *http.Client, n int) Result {
	r := Result{Marker: l.Marker(n)}
	req, err := l.request(ctx, r.Marker)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	if l.Traceparent {
		r.TraceID, r.SpanID = randomHex(16), randomHex(8)
		req.Header.Set("traceparent", "00-"+r.TraceID+"-"+r.SpanID+"-01")
	}
	r.Start = time.Now()
	resp, err := client.Do(req)
	if err != nil {
		r.End = time.Now()
		r.Error = err.Error()
		return r
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end, or the request failed
	r.Status = resp.StatusCode
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		r.Error = fmt.Sprintf("reading the body: %v", err)
	}
	r.End = time.Now()
	return r
}

func (l Load) request(ctx context.Context, marker string) (*http.Request, error) {
	path := l.Path
	if path == "" {
		path = "/checkout/"
	}
	url := strings.TrimSuffix(l.URL, "/") + path + marker
	if l.Body == "" {
		return http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	}
	return http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(l.Body))
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails: it ends the process rather than return an error
	return hex.EncodeToString(b)
}
