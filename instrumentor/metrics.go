package instrumentor

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// webhookMetrics count what became of pods.
type webhookMetrics struct {
	pods    *prometheus.CounterVec
	seconds prometheus.Histogram
}

// RegisterMetrics makes the webhook's metrics known to a registry.
func RegisterMetrics(registry prometheus.Registerer) error {
	_, err := newWebhookMetrics(registry)
	return err
}

// newWebhookMetrics registers them, or takes those that are registered: tests run several managers in a process.
func newWebhookMetrics(registry prometheus.Registerer) (*webhookMetrics, error) {
	m := &webhookMetrics{
		pods: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "odi_webhook_pods_total",
			Help: "New pods that the webhook was asked about, by what became of them: Injected, or why not.",
		}, []string{"reason"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "odi_webhook_seconds", Help: "Time to an answer about a pod.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2},
		}),
	}
	for _, err := range []error{registry.Register(m.pods), registry.Register(m.seconds)} {
		var known prometheus.AlreadyRegisteredError
		if errors.As(err, &known) {
			switch existing := known.ExistingCollector.(type) {
			case *prometheus.CounterVec:
				m.pods = existing
			case prometheus.Histogram:
				m.seconds = existing
			}
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *webhookMetrics) count(reason string, took time.Duration) {
	m.pods.WithLabelValues(reason).Inc()
	m.seconds.Observe(took.Seconds())
}
