package dev.odi.agent;

import java.io.File;
import java.io.IOException;
import java.util.Collections;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Pattern;

/**
 * OwnSdk tells whether the application brings the SDK of OpenTelemetry: on its class path, or inside of the
 * one jar that it is started from. Then it traces itself, and an agent would make every span twice.
 */
final class OwnSdk {
  private static final Pattern JAR = Pattern.compile("(?:^|.*/)opentelemetry-sdk-trace-\\d[^/]*\\.jar");
  private static final String CLASS = "io/opentelemetry/sdk/trace/SdkTracerProvider.class";

  private static final boolean FOUND = look();

  private OwnSdk() {}

  static boolean found() {
    return FOUND;
  }

  private static boolean look() {
    try {
      String all = System.getProperty("java.class.path", "");
      for (String element : all.split(File.pathSeparator)) {
        if (!element.isEmpty() && brings(new File(element), true)) {
          return true;
        }
      }
    } catch (RuntimeException e) {
      // A class path that cannot be read tells nothing.
    }
    return false;
  }

  private static boolean brings(File element, boolean follow) {
    if (JAR.matcher(element.getName()).matches()) {
      return element.isFile();
    }
    if (element.isDirectory()) {
      return new File(element, CLASS).isFile();
    }
    if (!element.isFile()) {
      return false;
    }
    try (JarFile jar = new JarFile(element, false)) {
      return jar.getEntry(CLASS) != null || nests(jar) || follow && refers(jar, element);
    } catch (IOException | SecurityException e) {
      return false; // Not a jar: the JVM will say so.
    }
  }

  /** nests looks for the SDK's jar in jars of jars, as Spring Boot makes them. */
  private static boolean nests(JarFile jar) {
    for (JarEntry entry : Collections.list(jar.entries())) {
      if (JAR.matcher(entry.getName()).matches()) {
        return true;
      }
    }
    return false;
  }

  /** refers looks at the jars that a manifest names. */
  private static boolean refers(JarFile jar, File element) throws IOException {
    Manifest manifest = jar.getManifest();
    String named = manifest == null ? null : manifest.getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
    if (named == null) {
      return false;
    }
    for (String one : named.trim().split("\\s+")) {
      if (!one.isEmpty() && brings(new File(element.getAbsoluteFile().getParentFile(), one), false)) {
        return true;
      }
    }
    return false;
  }
}
