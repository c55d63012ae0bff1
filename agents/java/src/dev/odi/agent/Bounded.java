package dev.odi.agent;

import io.opentelemetry.sdk.common.CompletableResultCode;
import java.util.function.Supplier;

/** Bounded ends work after a while, whether it is done or not: a collector that hangs holds up no JVM. */
final class Bounded {
  /** Kubernetes gives a pod 30 s, the application's own shutdown included. */
  private static final long LIMIT_MILLIS = 1_200;

  private Bounded() {}

  /** end runs a shutdown in a thread of its own: some of them block. */
  static CompletableResultCode end(Supplier<CompletableResultCode> shutdown) {
    CompletableResultCode result = new CompletableResultCode();
    start("odi-agent-end", () -> shutdown.get().whenComplete(result::succeed));
    start("odi-agent-limit", () -> {
      try {
        Thread.sleep(LIMIT_MILLIS);
      } catch (InterruptedException e) {
        // Then it ends at once.
      }
      result.succeed();
    });
    return result;
  }

  /** start runs work that nobody waits for in the end. */
  static void start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }
}
