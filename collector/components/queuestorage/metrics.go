package queuestorage

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// measure shows what each queue takes and what was damaged, under the labels
// that the collector gives its own metrics of queues.
func (s *store) measure(set component.TelemetrySettings) error {
	meter := set.MeterProvider.Meter("github.com/odi-dev/odi/collector/queue")
	disk, err := meter.Int64ObservableGauge("odi_queue_disk",
		metric.WithUnit("By"), metric.WithDescription("What an exporter's queue takes on the disk."))
	if err != nil {
		return fmt.Errorf("making a gauge: %w", err)
	}
	items, err := meter.Int64ObservableGauge("odi_queue_items",
		metric.WithDescription("Spans, data points or log records that wait in an exporter's queue."))
	if err != nil {
		return fmt.Errorf("making a gauge: %w", err)
	}
	damaged, err := meter.Int64ObservableCounter("odi_queue_damaged_items",
		metric.WithDescription("Items of an exporter's queue that were damaged and set aside."))
	if err != nil {
		return fmt.Errorf("making a counter: %w", err)
	}
	s.gauges, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, q := range s.queues {
			labels := metric.WithAttributes(attribute.String("exporter", q.owner), attribute.String("data_type", q.signal))
			waiting, broken := q.state()
			o.ObserveInt64(disk, s.room.of(q), labels)
			o.ObserveInt64(items, waiting, labels)
			o.ObserveInt64(damaged, broken, labels)
		}
		return nil
	}, disk, items, damaged)
	if err != nil {
		return fmt.Errorf("making the gauges: %w", err)
	}
	return nil
}

// state says how much waits in the queue, and how many files of it were damaged.
func (q *queue) state() (items, damaged int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items, q.damaged
}

// Waiting is how many spans, data points and log records wait in all queues.
func (s *store) Waiting() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum int64
	for _, q := range s.queues {
		items, _ := q.state()
		sum += items
	}
	return sum
}
