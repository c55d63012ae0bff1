// reviews says what customers wrote: Express, which asks pricing what they paid.
'use strict';
const http = require('http');
const express = require('express');

const pricing = process.env.PRICING || 'http://pricing:8080';
const agent = new http.Agent({ keepAlive: true });

function price(order, done) {
  http.get(`${pricing}/price/reviews/${order}`, { agent }, (response) => {
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (part) => { body += part; });
    response.on('end', () => done(response.statusCode === 200 ? null : new Error(`pricing answered ${response.statusCode}`), body));
  }).on('error', done);
}

const app = express();
app.get('/healthz', (request, response) => response.json({ ok: true }));
app.get('/reviews/:order', (request, response) => {
  price(request.params.order, (error, body) => {
    if (error) {
      response.status(502).json({ error: error.message });
      return;
    }
    response.json({ order: request.params.order, reviews: ['sturdy', 'came in time'], cents: JSON.parse(body).cents });
  });
});
const [host, port] = (process.env.LISTEN || ':8080').split(':');
app.listen(Number(port), host || '0.0.0.0', () => console.error(`reviews listens on ${host}:${port}`));
process.on('SIGTERM', () => process.exit(0)); // As process 1 it has no other default.
