package dev.odi.agent;

import io.opentelemetry.javaagent.shaded.io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import java.util.concurrent.atomic.LongAdder;

/** BoundedSpanProcessor is a span processor that records until the application has ended, and then ends in time. */
final class BoundedSpanProcessor implements SpanProcessor {
  private final SpanProcessor inner;
  private final LongAdder ended = new LongAdder();

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
    ended.increment();
  }

  @Override
  public boolean isEndRequired() {
    return inner.isEndRequired();
  }

  @Override
  public CompletableResultCode forceFlush() {
    return inner.forceFlush();
  }

  /** shutdown leaves the inner one as it is: it would drop what comes now. The JVM's end is its end. */
  @Override
  public CompletableResultCode shutdown() {
    Ending.of(inner, ended::sum);
    return CompletableResultCode.ofSuccess();
  }
}
