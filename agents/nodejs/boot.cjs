// What --require loads first in every Node.js process that has odi's agent. It decides whether the agent
// starts, says so by a file that it keeps open, and never keeps the application from starting.
//
// Old releases must be able to read this file: nothing newer than ECMAScript 5 here.
'use strict';

(function boot() {
  var fs = require('fs');
  var path = require('path');

  // FROM is replaced by the build: the first version of Node.js that this line of the agent works with.
  var FROM = '@FROM@';

  // Programs that start the application, or install it, and are not the application.
  var TOOLS = /[\\/](npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack|npm-cli\.js|npx-cli\.js|yarn(-[\d.]+)?\.c?js|pnpm\.[cm]?js|corepack\.js)$|[\\/]node_modules[\\/](npm|yarn|pnpm|corepack|pm2[\\/](bin|lib[\\/](Daemon\.js|binaries)))([\\/]|$)/;

  // Agents and SDKs of others that a preload names: two in one process break it.
  var OTHERS = /dd-trace|newrelic|elastic-apm-node|@instana|appdynamics|oneagent|auto-instrumentations-node|@opentelemetry[\\/]|@splunk[\\/]otel|@sentry[\\/]|applicationinsights|signalfx|@lumigo|@logzio|@google-cloud[\\/]trace-agent|@newrelic|sealights|epsagon|contrast[\\/]/;

  var open;

  // mark keeps one file of the folder state open, whose name is the state. The odiglet reads it in /proc.
  function mark(state) {
    try {
      var next = fs.openSync(path.join(__dirname, 'state', state), 'r'); // libuv opens with O_CLOEXEC.
      if (open !== undefined) {
        fs.closeSync(open);
      }
      open = next;
    } catch (e) {
      // The volume is gone: nothing to say it with.
    }
  }

  // supported compares number by number. 19 and the first releases of 20 lack hooks for modules.
  function supported(version) {
    var have = version.split('.').map(Number);
    var want = FROM.split('.').map(Number);
    if (have[0] === 19 || (have[0] === 20 && have[1] < 6)) {
      return false;
    }
    for (var i = 0; i < want.length; i++) {
      if (have[i] !== want[i]) {
        return have[i] > want[i];
      }
    }
    return true;
  }

  // isMain says whether this is the main thread: a worker has the agent's environment, too.
  function isMain() {
    try {
      return require('worker_threads').isMainThread;
    } catch (e) {
      return true; // Releases that have no workers.
    }
  }

  function preloads() {
    return process.execArgv.concat(process.env.NODE_OPTIONS || '').join(' ');
  }

  // refused says whether the user said no to any SDK: who has eyes for the process outside may go on.
  function refused() {
    return String(process.env.OTEL_SDK_DISABLED).trim().toLowerCase() === 'true';
  }

  // hasOwn says whether somebody else traces this process already.
  function hasOwn() {
    var api = global[Symbol.for('opentelemetry.js.api.1')];
    return OTHERS.test(preloads()) || !!(api && api.trace);
  }

  function start() {
    if (process.versions.bun || process.versions.deno || !supported(process.versions.node) || refused()) {
      mark('unsupported');
      return;
    }
    if (hasOwn()) {
      mark('own-sdk');
      return;
    }
    require('./agent.cjs').start(mark);
    if (open === undefined) {
      mark('alive');
    }
  }

  if (!isMain() || TOOLS.test(process.argv[1] || '')) {
    return;
  }
  try {
    start();
  } catch (e) {
    mark('failed');
    if (process.env.OTEL_LOG_LEVEL) {
      console.error('odi: the agent did not start, the application runs without it:', e);
    }
  }
})();
