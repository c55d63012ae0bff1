package jaeger

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/hack/demo/trace"
)

// Client reads from one Jaeger. It holds no connection of its own.
type Client struct {
	// HTTP sends the requests; the cluster's proxy needs its own.
	HTTP *http.Client
	// URL is the query API's address without a path below it.
	URL string
}

// Query selects traces that have a span of Service (any, if empty) between From and To.
type Query struct {
	Service  string
	From, To time.Time
	// Limit is the largest number of traces; 0 means 5,000.
	Limit int
}

// defaultLimit is above what any one check of the end-to-end test sends.
const defaultLimit = 5_000

// Traces returns the traces that a query selects, none without an error when
// nothing was found.
func (c Client) Traces(ctx context.Context, q Query) ([]trace.Trace, error) {
	limit := q.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	to := q.To
	if to.IsZero() {
		to = time.Now().Add(time.Minute)
	}
	parameters := url.Values{
		"query.service_name":   {q.Service},
		"query.start_time_min": {q.From.UTC().Format(time.RFC3339Nano)},
		"query.start_time_max": {to.UTC().Format(time.RFC3339Nano)},
		"query.num_traces":     {strconv.Itoa(limit)},
		// As they were received: without Jaeger's own clock skew correction.
		"query.raw_traces": {"true"},
	}
	return c.traces(ctx, "/api/v3/traces?"+parameters.Encode())
}

// Trace returns one trace; ok is false when Jaeger does not have it.
func (c Client) Trace(ctx context.Context, id string) (t trace.Trace, ok bool, err error) {
	found, err := c.traces(ctx, "/api/v3/traces/"+url.PathEscape(id)+"?raw_traces=true")
	if err != nil || len(found) == 0 {
		return trace.Trace{}, false, err
	}
	return found[0], true, nil
}

// Services returns the names of all services that sent a span.
func (c Client) Services(ctx context.Context) ([]string, error) {
	body, _, err := c.get(ctx, "/api/v3/services")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Services []string `json:"services"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("reading Jaeger's services: %w", err)
	}
	return answer.Services, nil
}

func (c Client) traces(ctx context.Context, path string) ([]trace.Trace, error) {
	body, found, err := c.get(ctx, path)
	if err != nil || !found {
		return nil, err
	}
	var envelope struct {
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, fmt.Errorf("reading Jaeger's answer: %w", err)
	}
	var decoder ptrace.JSONUnmarshaler
	data, err := decoder.UnmarshalTraces(envelope.Result)
	if err != nil {
		return nil, fmt.Errorf("reading the traces in Jaeger's answer: %w", err)
	}
	return trace.From(data), nil
}

// get returns the body of a 200; found is false for Jaeger's own 404, which
// means that no trace fits.
func (c Client) get(ctx context.Context, path string) (body []byte, found bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return nil, false, fmt.Errorf("making a request to Jaeger: %w", err)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, false, fmt.Errorf("asking Jaeger: %w", err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	if err != nil {
		return nil, false, fmt.Errorf("reading Jaeger's answer: %w", err)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return body, true, nil
	case resp.StatusCode == http.StatusNotFound && json.Valid(body) && !isKubernetesStatus(body):
		return nil, false, nil
	default:
		return nil, false, fmt.Errorf("asking Jaeger: %s: %.200s", resp.Status, body)
	}
}

// isKubernetesStatus tells the API server's 404 (no such service) from Jaeger's (no such trace).
func isKubernetesStatus(body []byte) bool {
	var status struct {
		Kind string `json:"kind"`
	}
	return json.Unmarshal(body, &status) == nil && status.Kind == "Status"
}
