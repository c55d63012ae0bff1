package stage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// Drive sends a load from the driver pod and returns its results.
func (c *Cluster) Drive(ctx context.Context, load traffic.Load) ([]traffic.Result, error) {
	body, err := json.Marshal(load)
	if err != nil {
		return nil, fmt.Errorf("writing the load %s: %w", load.Name, err)
	}
	url := c.ServiceURL("traffic", "driver", "http") + "/run"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("making the request for load %s: %w", load.Name, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("driving load %s: %w", load.Name, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 400)) // the status alone is an answer too
		return nil, fmt.Errorf("driving load %s: %s: %s", load.Name, resp.Status, text)
	}
	var results []traffic.Result
	if err := json.NewDecoder(resp.Body).Decode(&results); err != nil {
		return nil, fmt.Errorf("reading the results of load %s: %w", load.Name, err)
	}
	return results, nil
}

// Jaeger reads from the Jaeger that the demo deploys.
func (c *Cluster) Jaeger() jaeger.Client {
	return jaeger.Client{HTTP: c.http, URL: c.ServiceURL(jaeger.Namespace, jaeger.Name, "query")}
}
