// The timers of the bundle: none keeps the application's process alive.
'use strict';

exports.setTimeout = function (...args) {
  const timer = globalThis.setTimeout(...args);
  timer.unref();
  return timer;
};
exports.setInterval = function (...args) {
  const timer = globalThis.setInterval(...args);
  timer.unref();
  return timer;
};
