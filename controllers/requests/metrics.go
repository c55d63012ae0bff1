package requests

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/odi-dev/odi/internal/trial"
)

// counter counts the tests that somebody asked for.
type counter struct{ tests *prometheus.CounterVec }

// newCounter registers the metric, or finds it where it is registered already.
func newCounter(registry prometheus.Registerer) (counter, error) {
	c := counter{tests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "odi_destination_tests_total",
		Help: "Tests of Destinations that were asked for by the annotation odi.dev/test-requested-at, by what came of them.",
	}, []string{"result"})}
	err := registry.Register(c.tests)
	var known prometheus.AlreadyRegisteredError
	if errors.As(err, &known) {
		if tests, ok := known.ExistingCollector.(*prometheus.CounterVec); ok {
			return counter{tests: tests}, nil
		}
	}
	if err != nil {
		return counter{}, fmt.Errorf("registering the metric of tests: %w", err)
	}
	return c, nil
}

func (c counter) count(r trial.Result) {
	result := "refused"
	switch {
	case len(r.Signals) == 0:
		result = "not_sent"
	case r.Accepted():
		result = "accepted"
	}
	c.tests.WithLabelValues(result).Inc()
}
