// How a process ends with the agent in it: as it would without, at most LIMIT later, with its last spans sent.
'use strict';

const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { JsonTraceSerializer } = require('@opentelemetry/otlp-transformer');
const env = require('./env.cjs');

// LIMIT is how many milliseconds the end of a process may be held up. Kubernetes gives a pod 30 s.
const LIMIT = 1500;

// Signals that end a process which does not handle them, and that are sent to ask for an end.
const SIGNALS = ['SIGTERM', 'SIGINT'];

let sdk;
let forgotten = false;

// watch sends the last spans at every kind of end that JavaScript sees.
function watch(started) {
  sdk = started;
  process.on('exit', flushNow);
  for (const signal of SIGNALS) {
    if (process.listenerCount(signal) === 0) process.on(signal, handler(signal));
  }
  process.prependListener('newListener', makeWay); // Before Node.js's own, which starts to listen to the signal.
  process.on('removeListener', comeBack);
  hide();
}

// forget leaves no handler behind.
function forget() {
  forgotten = true;
  process.removeListener('newListener', makeWay);
  process.removeListener('removeListener', comeBack);
  process.removeListener('exit', flushNow);
  for (const signal of SIGNALS) process.removeListener(signal, handler(signal));
}

const handlers = {
  SIGTERM: () => flushAndDie('SIGTERM'),
  SIGINT: () => flushAndDie('SIGINT'),
};

function handler(signal) {
  return handlers[signal];
}

// makeWay takes our handler away as soon as the application adds its own: what it does is then all that
// happens. Its exit sends the last spans.
function makeWay(event, listener) {
  const ours = handlers[event];
  if (ours && listener !== ours) process.removeListener(event, ours);
}

// comeBack handles a signal again when the application has stopped to.
function comeBack(event, listener) {
  const ours = handlers[event];
  if (ours && listener !== ours && !forgotten && process.listenerCount(event) === 0) process.on(event, ours);
}

// hide keeps our handlers from being counted: libraries end the process themselves only if nobody else listens.
function hide() {
  const { listeners, rawListeners, listenerCount } = process;
  const ours = (event, listener) => handlers[event] !== undefined && handlers[event] === listener;
  process.listeners = function (event) {
    return listeners.call(this, event).filter((listener) => !ours(event, listener));
  };
  process.rawListeners = function (event) {
    return rawListeners.call(this, event).filter((listener) => !ours(event, listener));
  };
  process.listenerCount = function (event, ...rest) {
    if (handlers[event] === undefined) return listenerCount.call(this, event, ...rest);
    return listeners.call(this, event).filter((listener) => !ours(event, listener) && (rest[0] === undefined || rest[0] === listener)).length;
  };
}

// flushAndDie ends the process by the signal that it got, so that whoever waits for it sees the same. Without
// our handler a second signal ends it at once.
function flushAndDie(signal) {
  process.removeListener('removeListener', comeBack);
  process.removeListener(signal, handler(signal));
  let died = false;
  const die = () => {
    if (died) return;
    died = true;
    process.kill(process.pid, signal);
  };
  globalThis.setTimeout(die, LIMIT); // Referenced: the agent's own timers are not.
  flush().then(die, die);
}

async function flush() {
  await Promise.all([sdk._tracerProvider?.forceFlush(), sdk._meterProvider?.forceFlush()]);
}

// flushNow sends the spans that wait. Nothing asynchronous runs in an exit handler, so that a worker sends
// them while this thread sleeps.
function flushNow() {
  try {
    const url = tracesURL();
    const spans = url && waiting(sdk._tracerProvider, 4);
    if (!spans || spans.length === 0) return;
    const body = JsonTraceSerializer.serializeRequest(spans.splice(0));
    const done = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(path.join(__dirname, 'flush.cjs'), {
      workerData: { url, headers: headers(), body, done, limit: LIMIT }, env: {}, execArgv: [], stdin: false, stdout: true, stderr: true,
    });
    worker.on('error', () => {});
    Atomics.wait(done, 0, 0, LIMIT);
  } catch {
    // Workers are not allowed, or memory is short: the spans are lost.
  }
}

// tracesURL is where spans go, and undefined where only the SDK knows how to send them.
function tracesURL() {
  const of = (name) => env.values[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env.values[`OTEL_EXPORTER_OTLP_${name}`];
  if (of('PROTOCOL') !== 'http/json' || of('CERTIFICATE') || of('CLIENT_KEY')) return undefined;
  if (!['otlp', undefined].includes(env.values.OTEL_TRACES_EXPORTER)) return undefined;
  const own = env.values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  if (own) return own;
  const base = env.values.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://localhost:4318';
  return base.replace(/\/*$/, '/v1/traces');
}

function headers() {
  const found = {};
  const text = [env.values.OTEL_EXPORTER_OTLP_HEADERS, env.values.OTEL_EXPORTER_OTLP_TRACES_HEADERS].filter(Boolean).join(',');
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    if (at > 0) found[pair.slice(0, at).trim()] = decodeURIComponent(pair.slice(at + 1).trim());
  }
  return found;
}

// waiting finds the queue of the batch processor, which has no name outside of the SDK.
function waiting(object, depth) {
  if (!object || typeof object !== 'object') return undefined;
  if (Array.isArray(object._finishedSpans)) return object._finishedSpans;
  if (depth === 0) return undefined;
  for (const key of Object.keys(object)) {
    if (!/rocessor|^\d$/.test(key)) continue;
    const found = waiting(object[key], depth - 1);
    if (found) return found;
  }
  return undefined;
}

module.exports = { watch, forget };
