// The http and https that exporters use: as they were before instrumentations patched them, so that an export
// is neither a span nor counted, and without a hold on the event loop, so that none keeps a process alive.
'use strict';

function original(client) {
  const { request, Agent } = client;
  return {
    Agent,
    request: (...args) => {
      const sent = request(...args);
      sent.on('socket', (socket) => socket.unref());
      return sent;
    },
  };
}

exports.http = original(require('http'));
exports.https = original(require('https'));
