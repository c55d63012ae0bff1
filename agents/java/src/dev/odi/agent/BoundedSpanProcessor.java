package dev.odi.agent;

import io.opentelemetry.javaagent.shaded.io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;

/** BoundedSpanProcessor is a span processor whose shutdown ends in time. */
final class BoundedSpanProcessor implements SpanProcessor {
  private final SpanProcessor inner;

  BoundedSpanProcessor(SpanProcessor inner) {
    this.inner = inner;
  }

  @Override
  public void onStart(Context parent, ReadWriteSpan span) {
    inner.onStart(parent, span);
  }

  @Override
  public boolean isStartRequired() {
    return inner.isStartRequired();
  }

  @Override
  public void onEnd(ReadableSpan span) {
    inner.onEnd(span);
  }

  @Override
  public boolean isEndRequired() {
    return inner.isEndRequired();
  }

  @Override
  public CompletableResultCode forceFlush() {
    return inner.forceFlush();
  }

  @Override
  public CompletableResultCode shutdown() {
    return Bounded.end(inner::shutdown);
  }
}
