package dev.odi.agent;

import io.opentelemetry.javaagent.extension.AgentListener;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;

/** Started says that the agent has started, after its instrumentations are in place. */
public final class Started implements AgentListener {
  @Override
  public void afterAgent(AutoConfiguredOpenTelemetrySdk sdk) {
    Hooks.find();
    if (Customizer.isRefused()) {
      return; // Said already.
    }
    State.set(OwnSdk.found() ? State.OWN_SDK : State.ALIVE);
  }

  @Override
  public int order() {
    return Integer.MAX_VALUE; // After those that could still fail.
  }
}
