package dev.odi.agent;

import io.opentelemetry.javaagent.bootstrap.JavaagentFileHolder;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * State says how the agent started: the process maps one file of the folder state beside the agent, whose
 * name is the state. The odiglet sees it in /proc; nothing is sent.
 */
final class State {
  static final String ALIVE = "alive";
  static final String FAILED = "failed";
  static final String UNSUPPORTED = "unsupported";
  static final String OWN_SDK = "own-sdk";

  /** Some application servers install their logging late; the agent's last steps then wait for it. */
  private static final long GRACE_MILLIS = 5_000;

  /** Held for ever: what is collected is unmapped. */
  private static ByteBuffer mapped;

  private State() {}

  static synchronized void set(String state) {
    File agent = JavaagentFileHolder.getJavaagentFile();
    if (agent == null) {
      return;
    }
    File file = new File(new File(agent.getParentFile(), "state"), state);
    try (RandomAccessFile open = new RandomAccessFile(file, "r")) {
      mapped = open.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, open.length());
    } catch (IOException | RuntimeException e) {
      // The volume has no such file: nothing to say it with.
    }
  }

  private static synchronized boolean isSet() {
    return mapped != null;
  }

  /** watchStart says that the start failed when the thread that runs it has left it without a state. */
  static void watchStart(Thread starting) {
    Thread watcher = new Thread(() -> watch(starting), "odi-agent-start");
    watcher.setDaemon(true);
    watcher.start();
  }

  private static void watch(Thread starting) {
    try {
      while (!isSet() && starts(starting)) {
        Thread.sleep(100);
      }
      if (!isSet()) {
        Thread.sleep(GRACE_MILLIS);
      }
    } catch (InterruptedException e) {
      return; // Nobody interrupts it but a JVM that ends.
    }
    if (!isSet()) {
      set(FAILED);
    }
  }

  private static boolean starts(Thread thread) {
    for (StackTraceElement frame : thread.getStackTrace()) {
      if (frame.getClassName().equals("sun.instrument.InstrumentationImpl")) {
        return true;
      }
    }
    return false;
  }
}
