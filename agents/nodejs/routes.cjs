// The routes of fastify, for which upstream's instrumentations are no more.
'use strict';

const { subscribe } = require('node:diagnostics_channel');
const { context } = require('@opentelemetry/api');
const { getRPCMetadata } = require('@opentelemetry/core');

// watchFastify gives the server's span the route that fastify found.
function watchFastify() {
  subscribe('fastify.initialization', ({ fastify }) => {
    fastify.addHook('onRequest', (request, reply, done) => {
      const metadata = getRPCMetadata(context.active());
      const route = request.routeOptions?.url ?? request.routerPath;
      if (metadata && route) metadata.route = route;
      done();
    });
  });
}

module.exports = { watchFastify };
