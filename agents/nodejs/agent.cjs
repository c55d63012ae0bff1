// The agent's entry, from which the build makes one file: upstream's SDK and instrumentations, with an end
// that is bounded and a way out where the application brings an SDK of its own.
'use strict';

const Module = require('node:module');
const { NodeSDK } = require('@opentelemetry/sdk-node');
const { getNodeAutoInstrumentations, getResourceDetectors } = require('@opentelemetry/auto-instrumentations-node');
const modules = require('./modules.cjs');
const end = require('./end.cjs');
const { watchFastify } = require('./routes.cjs');

const API = Symbol.for('opentelemetry.js.api.1');

// start throws where the agent cannot start; nothing of it is left behind then.
function start(mark) {
  const instrumentations = getNodeAutoInstrumentations({
    // A span per middleware doubles the cost of a request and tells nothing that a trace needs.
    '@opentelemetry/instrumentation-express': { ignoreLayersType: ['middleware'] },
  });
  const sdk = new NodeSDK({ instrumentations, resourceDetectors: getResourceDetectors() });
  const leave = once((state) => {
    mark(state);
    for (const one of instrumentations) quietly(() => one.disable());
    // The whole object: another version of the API does not register in one that is there.
    delete globalThis[API];
    end.forget();
    quietly(() => sdk.shutdown().catch(() => {}));
  });
  try {
    sdk.start();
    end.watch(sdk);
    modules.onOwnSDK(() => leave('own-sdk'));
    patchBuiltins();
    watchFastify();
    modules.hookImports(instrumentations);
  } catch (error) {
    leave('failed');
    throw error;
  }
}

// patchBuiltins makes `import { request } from 'node:http'` give what require gives, without a loader.
function patchBuiltins() {
  require('http');
  require('https');
  Module.syncBuiltinESMExports();
}

function once(f) {
  let done = false;
  return (argument) => {
    if (!done) {
      done = true;
      f(argument);
    }
  };
}

function quietly(f) {
  try {
    f();
  } catch {
    // What is being left cannot harm the application any more.
  }
}

module.exports = { start };
