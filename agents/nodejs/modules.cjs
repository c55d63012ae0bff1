// What happens when the application loads a module: packages that are imported are hooked where the entry is
// an ECMAScript module, and an SDK of the application's own makes the agent leave.
'use strict';

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const RequireHook = require('require-in-the-middle').Hook;
const ImportHook = require('import-in-the-middle').Hook;

// An application that loads one of these traces itself, or lets another agent do it. The SDK's packages are
// the first that its start loads, before its instrumentations have wrapped anything.
const OWN = [
  '@opentelemetry/sdk-node', '@opentelemetry/sdk-trace-node', '@opentelemetry/sdk-trace-base', '@opentelemetry/sdk-trace',
  'dd-trace', 'newrelic', 'elastic-apm-node', '@instana/collector', 'appdynamics', '@dynatrace/oneagent-sdk', '@google-cloud/trace-agent',
];

function onOwnSDK(leave) {
  const loaded = (exports) => {
    leave();
    return exports;
  };
  new RequireHook(OWN, loaded);
  new ImportHook(OWN, () => leave());
}

// hookImports installs the loader hooks, in the thread of the application where this release can, else in
// the hooks' own thread, which costs memory and is therefore not done for CommonJS.
function hookImports(instrumentations) {
  if (!importsModules()) return;
  const include = [new RegExp(`/node_modules/(?:${packages(instrumentations).map(escape).join('|')})/`)];
  const { register, supportsSyncHooks } = require('./hook-sync.cjs');
  if (supportsSyncHooks()) {
    register({ include });
    return;
  }
  Module.register('./hook.mjs', pathToFileURL(__filename), { data: { include } });
}

// packages are those that instrumentations patch. Built-in modules are patched in place.
function packages(instrumentations) {
  const names = new Set(OWN);
  for (const one of instrumentations) {
    for (const module of one._modules ?? []) {
      if (!Module.isBuiltin(module.name) && !path.isAbsolute(module.name)) names.add(module.name);
    }
  }
  return [...names];
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

// importsModules says whether the application's entry is an ECMAScript module, as far as can be told before
// it is loaded.
function importsModules() {
  if (/--(import|loader|experimental-loader|experimental-default-type)\b/.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '))) return true;
  return [process.argv[1], process.env.pm_exec_path].some((entry) => entry && isModule(entry)); // pm2 loads the entry itself.
}

function isModule(entry) {
  try {
    const file = Module._findPath(entry, null, true) || entry;
    if (/\.[cm]?[jt]s$/.exec(file)?.[0].startsWith('.m')) return true;
    if (/\.c[jt]s$/.test(file)) return false;
    const type = nearestType(path.dirname(fs.realpathSync(file)));
    if (type) return type === 'module';
    return /^\s*(?:import\b[\s{*'"]|export\b[\s{*])/m.test(head(file)); // What newer releases detect by its syntax.
  } catch {
    return false;
  }
}

// nearestType reads the type that the package of a folder gives.
function nearestType(folder) {
  for (;;) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type;
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return undefined;
    }
    const above = path.dirname(folder);
    if (above === folder) return undefined;
    folder = above;
  }
}

// head is the first 64 KiB of a file.
function head(file) {
  const fd = fs.openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(64 << 10);
    return buffer.toString('utf8', 0, fs.readSync(fd, buffer));
  } finally {
    fs.closeSync(fd);
  }
}

module.exports = { onOwnSDK, hookImports };
