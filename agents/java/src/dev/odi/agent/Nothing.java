package dev.odi.agent;

import io.opentelemetry.javaagent.extension.ignore.IgnoredTypesBuilder;
import io.opentelemetry.javaagent.extension.ignore.IgnoredTypesConfigurer;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;

/** Nothing keeps every class as it is where the application brings an SDK of its own. */
public final class Nothing implements IgnoredTypesConfigurer {
  @Override
  public void configure(IgnoredTypesBuilder types, ConfigProperties config) {
    configure(types);
  }

  @Override
  public void configure(IgnoredTypesBuilder types) {
    if (OwnSdk.found()) {
      types.ignoreClass(""); // A prefix.
    }
  }
}
