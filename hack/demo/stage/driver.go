package stage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	metrics "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/hack/demo/traffic/stranger"
)

// Drive sends a load from the driver pod and returns its results.
func (c *Cluster) Drive(ctx context.Context, load traffic.Load) ([]traffic.Result, error) {
	var results []traffic.Result
	if err := c.askDriver(ctx, "/run", load, &results); err != nil {
		return nil, fmt.Errorf("driving load %s: %w", load.Name, err)
	}
	return results, nil
}

// Forge has the driver pod send spans in another's name.
func (c *Cluster) Forge(ctx context.Context, claim stranger.Claim) ([]stranger.Answer, error) {
	var answers []stranger.Answer
	if err := c.askDriver(ctx, "/forge", claim, &answers); err != nil {
		return nil, fmt.Errorf("forging spans of %s: %w", claim.Service, err)
	}
	return answers, nil
}

// askDriver posts what to do and reads what came of it.
func (c *Cluster) askDriver(ctx context.Context, path string, what, answer any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	url := c.ServiceURL("traffic", "driver", "http") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 400)) // the status alone is an answer too
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// Jaeger reads from the Jaeger that the demo deploys.
func (c *Cluster) Jaeger() jaeger.Client {
	return jaeger.Client{HTTP: c.http, URL: c.ServiceURL(jaeger.Namespace, jaeger.Name, "query")}
}

// Measured reads the metrics that were sent to the Jaeger that the demo deploys, as Prometheus has them.
func (c *Cluster) Measured(ctx context.Context) (map[string]*metrics.MetricFamily, error) {
	url := c.ServiceURL(jaeger.Namespace, jaeger.Name, "metrics") + "/metrics"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking for metrics: %s", resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	return families, nil
}
