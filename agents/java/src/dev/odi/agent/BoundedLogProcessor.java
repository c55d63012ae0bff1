package dev.odi.agent;

import io.opentelemetry.javaagent.shaded.io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.ReadWriteLogRecord;

/** BoundedLogProcessor is a processor of log records whose shutdown ends in time. */
final class BoundedLogProcessor implements LogRecordProcessor {
  private final LogRecordProcessor inner;

  BoundedLogProcessor(LogRecordProcessor inner) {
    this.inner = inner;
    Ending.add(inner::forceFlush);
  }

  @Override
  public void onEmit(Context context, ReadWriteLogRecord record) {
    inner.onEmit(context, record);
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
