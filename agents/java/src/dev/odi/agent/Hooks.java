package dev.odi.agent;

import io.opentelemetry.javaagent.bootstrap.InstrumentationHolder;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/**
 * Hooks are the JVM's shutdown hooks, which run all at once: one of them is the SDK's, and others are how the
 * application ends, which may serve for a long time yet. The JVM tells nobody of them, so that they are read from
 * its own field. Where that cannot be read, there is nothing to wait for.
 */
final class Hooks {
  /**
   * Nobody is held up by this, since the JVM waits for the same hooks, unless one of them waits for the others
   * itself. It is less than the 30 s after which Kubernetes kills.
   */
  private static final long LIMIT_MILLIS = 20_000;

  private static final long POLL_MILLIS = 5;

  /** The JVM's own map, to which applications add. It is let go, and not changed any more, when the hooks start. */
  private static volatile Map<Thread, ?> all = Collections.emptyMap();

  private Hooks() {}

  /** find is to be called before the JVM ends. */
  static void find() {
    try {
      open();
      Field hooks = Class.forName("java.lang.ApplicationShutdownHooks").getDeclaredField("hooks");
      hooks.setAccessible(true);
      @SuppressWarnings("unchecked")
      Map<Thread, ?> found = (Map<Thread, ?>) hooks.get(null);
      if (found != null) {
        all = found;
      }
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      // Another JVM than those that are known.
    }
  }

  /** open lets this class read java.lang, as Java 9 and later want it. */
  private static void open() throws ReflectiveOperationException {
    Method moduleOf;
    try {
      moduleOf = Class.class.getMethod("getModule");
    } catch (NoSuchMethodException e) {
      return; // Java 8.
    }
    Map<String, Set<?>> opens = Collections.singletonMap("java.lang", Collections.singleton(moduleOf.invoke(Hooks.class)));
    Class<?> module = moduleOf.getReturnType();
    Instrumentation.class
        .getMethod("redefineModule", module, Set.class, Map.class, Map.class, Set.class, Map.class)
        .invoke(
            InstrumentationHolder.getInstrumentation(), moduleOf.invoke(Object.class), Collections.emptySet(),
            Collections.emptyMap(), opens, Collections.emptySet(), Collections.emptyMap());
  }

  /** awaitOthers waits, in one hook, until all others have ended. */
  static void awaitOthers() throws InterruptedException {
    Thread current = Thread.currentThread();
    if (!all.containsKey(current)) {
      return; // The JVM goes on.
    }
    long until = System.nanoTime() + LIMIT_MILLIS * 1_000_000;
    for (Thread hook : all.keySet()) {
      // One that has not been started yet is awaited, too.
      while (hook != current && hook.getState() != Thread.State.TERMINATED && System.nanoTime() < until) {
        Thread.sleep(POLL_MILLIS);
      }
    }
  }
}
