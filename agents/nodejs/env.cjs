// The environment as the agent sees it: the process's own over odi's defaults. The build makes every
// `process.env` of the bundle read it, so that the application's environment stays as it is.
'use strict';

const defaults = {
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_METRICS_EXPORTER: 'otlp',
  OTEL_PROPAGATORS: 'tracecontext,baggage',
  OTEL_SEMCONV_STABILITY_OPT_IN: 'http,database',
  // Others override host.name, send command lines, or ask metadata servers that are not there.
  OTEL_NODE_RESOURCE_DETECTORS: 'env,os',
  // A process that is killed loses at most this, and the collector is on the same node.
  OTEL_BSP_SCHEDULE_DELAY: '1000',
  OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
};

const { env } = process; // Not `process.env`: the build replaces those words.
const values = { ...defaults };
for (const [name, value] of Object.entries(env)) {
  if (value !== '' || !(name in defaults)) values[name] = value;
}
// A span per connection and per look-up of a name, unless the user has chosen.
if (!values.OTEL_NODE_ENABLED_INSTRUMENTATIONS && values.OTEL_NODE_DISABLED_INSTRUMENTATIONS === undefined) {
  values.OTEL_NODE_DISABLED_INSTRUMENTATIONS = 'dns,net';
}

module.exports = { values };
