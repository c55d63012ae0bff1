// A service that traces itself.
'use strict';

const { NodeSDK } = require('@opentelemetry/sdk-node');
const { trace } = require('@opentelemetry/api');

new NodeSDK({ serviceName: 'own' }).start();
const server = require('http').createServer((request, response) => {
  trace.getTracer('own').startSpan('own span').end();
  response.end('own');
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
