package dev.odi.agent;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.MemoryMode;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;

/** BoundedMetricReader is a metric reader whose shutdown ends in time. */
final class BoundedMetricReader implements MetricReader {
  private final MetricReader inner;

  BoundedMetricReader(MetricReader inner) {
    this.inner = inner;
    Ending.add(inner::forceFlush);
  }

  @Override
  public void register(CollectionRegistration registration) {
    inner.register(registration);
  }

  @Override
  public AggregationTemporality getAggregationTemporality(InstrumentType type) {
    return inner.getAggregationTemporality(type);
  }

  @Override
  public Aggregation getDefaultAggregation(InstrumentType type) {
    return inner.getDefaultAggregation(type);
  }

  @Override
  public MemoryMode getMemoryMode() {
    return inner.getMemoryMode();
  }

  @Override
  public CompletableResultCode forceFlush() {
    return inner.forceFlush();
  }

  @Override
  public CompletableResultCode shutdown() {
    return Ending.isOver() ? CompletableResultCode.ofSuccess() : Bounded.end(inner::shutdown);
  }
}
