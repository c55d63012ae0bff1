package destination

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

const (
	scrapeTimeout = 3 * time.Second
	// largestScrape is far above the 100 KiB of a gateway with a hundred destinations.
	largestScrape = 16 << 20
)

// sample is what one pod of the gateway says of one lane.
type sample struct {
	generation           int64  // of the Destination, 0 when it is not known,
	beat                 bool   // The heartbeat has an answer,
	words                string // which is this refusal, if any.
	sent, failed, queued int64
	damaged              int64 // items of its queue that were set aside
}

// toPods goes to pods directly, whatever HTTP_PROXY says, and nowhere else than it was told to.
var toPods = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       scrapeTimeout,
}

// metricsOverHTTP asks a pod for its metrics.
func metricsOverHTTP(ctx context.Context, pod *corev1.Pod) (io.ReadCloser, error) {
	address := net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(collectorconfig.PortMetrics))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("asking pod %s for metrics: %w", pod.Name, err)
	}
	response, err := toPods.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking pod %s for metrics: %w", pod.Name, err)
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // The status says enough.
		return nil, fmt.Errorf("asking pod %s for metrics: %s", pod.Name, response.Status)
	}
	return response.Body, nil
}

// scrape reads what a pod says of its lanes, by their keys.
func (o *observer) scrape(ctx context.Context, pod *corev1.Pod) (map[string]sample, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	metrics, err := o.metrics(ctx, pod)
	if err != nil {
		return nil, err
	}
	defer func() { _ = metrics.Close() }() // It was read as far as it is of use.
	return samplesOf(io.LimitReader(metrics, largestScrape))
}

// samplesOf reads a collector's metrics.
func samplesOf(metrics io.Reader) (map[string]sample, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(metrics)
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	samples := map[string]sample{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			switch name {
			case collectorconfig.ConfiguredMetric:
				addConfigured(samples, m)
			case collectorconfig.HeartbeatMetric:
				addHeartbeat(samples, m)
			default:
				addCount(samples, strings.TrimSuffix(name, "_total"), m)
			}
		}
	}
	return samples, nil
}

func addConfigured(samples map[string]sample, m *dto.Metric) {
	lane := heartbeatLane(m)
	s := samples[lane]
	s.generation, _ = strconv.ParseInt(label(m, collectorconfig.HeartbeatGenerationLabel), 10, 64) // else 0: unknown
	samples[lane] = s
}

// heartbeatLane is the key of the lane that a heartbeat is of.
func heartbeatLane(m *dto.Metric) string {
	return collectorconfig.Lane{
		Name: label(m, collectorconfig.HeartbeatDestinationLabel), UID: label(m, collectorconfig.HeartbeatUIDLabel),
	}.Key()
}

func addHeartbeat(samples map[string]sample, m *dto.Metric) {
	lane := heartbeatLane(m)
	s := samples[lane]
	s.beat = true
	if value(m) == 0 {
		s.words = label(m, collectorconfig.HeartbeatErrorLabel)
		if s.words == "" {
			s.words = "no reason given"
		}
	}
	samples[lane] = s
}

func addCount(samples map[string]sample, name string, m *dto.Metric) {
	lane, carries := collectorconfig.LaneOfExporter(label(m, "exporter"))
	if !carries {
		return
	}
	s := samples[lane]
	switch {
	case strings.HasPrefix(name, "otelcol_exporter_sent_"):
		s.sent += value(m)
	case strings.HasPrefix(name, "otelcol_exporter_send_failed_"), strings.HasPrefix(name, "otelcol_exporter_enqueue_failed_"):
		s.failed += value(m)
	case name == collectorconfig.QueuedMetric:
		s.queued += value(m)
	case name == collectorconfig.DamagedMetric:
		s.damaged += value(m)
	}
	samples[lane] = s
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// value of a counter, a gauge, or what has no type in the text.
func value(m *dto.Metric) int64 {
	return int64(m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue())
}
