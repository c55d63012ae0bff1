package dev.odi.agent;

import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizer;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizerProvider;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Customizer configures the SDK inside of the agent: odi's defaults below the user's own values, no
 * secrets in the resource, an end that is bounded. It is the first code of odi that runs, so it also
 * begins to watch how the start ends.
 */
public final class Customizer implements AutoConfigurationCustomizerProvider {
  /** Command lines hold passwords. */
  private static final Set<String> SECRETS =
      new HashSet<>(Arrays.asList("process.command_args", "process.command_line"));

  private static volatile boolean refused;

  /** isRefused says whether the user said no to any SDK, by OTEL_SDK_DISABLED. */
  static boolean isRefused() {
    return refused;
  }

  @Override
  public void customize(AutoConfigurationCustomizer sdk) {
    State.watchStart(Thread.currentThread());
    sdk.addPropertiesSupplier(Customizer::defaults);
    sdk.addResourceCustomizer(
        (resource, config) -> resource.toBuilder().removeIf(key -> SECRETS.contains(key.getKey())).build());
    sdk.addSpanProcessorCustomizer((processor, config) -> new BoundedSpanProcessor(processor));
    sdk.addMetricReaderCustomizer((reader, config) -> new BoundedMetricReader(reader));
    sdk.addLogRecordProcessorCustomizer((processor, config) -> new BoundedLogProcessor(processor));
    sdk.addPropertiesCustomizer(Customizer::asideOf);
  }

  /** asideOf is what the user's own values make the agent leave undone. */
  private static Map<String, String> asideOf(ConfigProperties config) {
    if (config.getBoolean("otel.sdk.disabled", false)) {
      refused = true;
      State.set(State.UNSUPPORTED); // Who has eyes for the process outside may go on.
      return aside();
    }
    return OwnSdk.found() ? aside() : Collections.emptyMap();
  }

  /** defaults are what odi sets unless the environment or a system property says otherwise. */
  private static Map<String, String> defaults() {
    Map<String, String> values = new HashMap<>();
    values.put("otel.exporter.otlp.protocol", "http/protobuf");
    values.put("otel.logs.exporter", "none");
    values.put("otel.metrics.exporter", "otlp");
    values.put("otel.propagators", "tracecontext,baggage");
    values.put(
        "otel.java.disabled.resource.providers",
        "io.opentelemetry.instrumentation.resources.ProcessResourceProvider");
    // A process that is killed loses at most this, and the collector is on the same node.
    values.put("otel.bsp.schedule.delay", "1000");
    values.put("otel.blrp.schedule.delay", "1000");
    values.put("otel.exporter.otlp.timeout", "5000");
    return values;
  }

  /** aside makes the agent change no class and send nothing. */
  private static Map<String, String> aside() {
    Map<String, String> values = new HashMap<>();
    values.put("otel.instrumentation.common.default-enabled", "false");
    values.put("otel.sdk.disabled", "true");
    for (String signal : Arrays.asList("traces", "metrics", "logs")) {
      values.put("otel." + signal + ".exporter", "none");
    }
    return Collections.unmodifiableMap(values);
  }
}
