package dev.odi.agent;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SpanProcessor;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Ending is the end of a JVM as the SDK's hook sees it. The SDK records until its span processors' shutdown has
 * returned: so that waits until the application has ended, and sends metrics and logs first and spans last, because
 * the JVM may serve until all hooks have returned. It is bounded: a collector that hangs holds up no JVM.
 */
final class Ending {
  /** Kubernetes gives a pod 30 s, the application's own shutdown included. */
  private static final long LIMIT_MILLIS = 1_200;

  private static final List<Supplier<CompletableResultCode>> OTHERS = new CopyOnWriteArrayList<>();

  private static volatile boolean over;

  private Ending() {}

  /** add has what is not spans sent at the end. */
  static void add(Supplier<CompletableResultCode> flush) {
    OTHERS.add(flush);
  }

  /** isOver says whether all that is not spans was sent for the last time. */
  static boolean isOver() {
    return over;
  }

  /** of ends a processor; ended counts the spans that it was given. */
  static void of(SpanProcessor processor, LongSupplier ended) {
    try {
      CompletableResultCode first = processor.forceFlush(); // One of the hooks may halt the JVM.
      Hooks.awaitOthers();
      long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT_MILLIS);
      CompletableResultCode others = others();
      await(first, until);
      await(others, until);
      spans(processor, ended, until);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // Then it ends at once.
    }
  }

  /** spans sends them until none has come meanwhile. */
  private static void spans(SpanProcessor processor, LongSupplier ended, long until) throws InterruptedException {
    long before;
    do {
      before = ended.getAsLong();
      Thread.sleep(1); // A flush that has just ended would be taken for the next one.
      await(processor.forceFlush(), until);
    } while (ended.getAsLong() != before && System.nanoTime() < until);
  }

  /** others are sent from a thread of its own: what is asked for metrics is the application's. */
  private static CompletableResultCode others() {
    CompletableResultCode sent = new CompletableResultCode();
    if (over || OTHERS.isEmpty()) {
      return sent.succeed();
    }
    over = true;
    Bounded.start("odi-agent-others", () -> {
      List<CompletableResultCode> all = new CopyOnWriteArrayList<>();
      OTHERS.forEach(flush -> all.add(flush.get()));
      CompletableResultCode.ofAll(all).whenComplete(sent::succeed);
    });
    return sent;
  }

  private static void await(CompletableResultCode result, long until) {
    result.join(Math.max(1, until - System.nanoTime()), TimeUnit.NANOSECONDS);
  }
}
