// A service in several frameworks: server.cjs FRAMEWORK [exit|nothing]. /users/:id asks /leaf of itself after
// a few asynchronous hops, by http and by fetch.
'use strict';

const http = require('http');
const { promisify } = require('util');

const later = promisify(setTimeout);
let port;

function ask(path) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path }, (answer) => {
      let text = '';
      answer.on('data', (data) => { text += data; });
      answer.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

async function work(id) {
  await later(5);
  const [one, two] = await Promise.all([ask('/leaf'), fetch(`http://127.0.0.1:${port}/leaf`).then((answer) => answer.text())]);
  return `user ${id} ${one} ${two}`;
}

const frameworks = {
  http: () => http.createServer(async (request, response) => {
    response.end(request.url === '/leaf' ? 'leaf' : await work(request.url.split('/').pop()));
  }),
  express: () => {
    const app = require('express')();
    app.use((request, response, next) => setImmediate(next));
    app.get('/users/:id', async (request, response) => response.send(await work(request.params.id)));
    app.get('/leaf', (request, response) => response.send('leaf'));
    return http.createServer(app);
  },
  koa: () => {
    const router = new (require('@koa/router'))();
    router.get('/users/:id', async (context) => { context.body = await work(context.params.id); });
    router.get('/leaf', (context) => { context.body = 'leaf'; });
    return http.createServer(new (require('koa'))().use(router.routes()).callback());
  },
  fastify: () => {
    let handle;
    const app = require('fastify')({ serverFactory: (handler) => { handle = handler; return http.createServer(handler); } });
    app.get('/users/:id', async (request) => work(request.params.id));
    app.get('/leaf', async () => 'leaf');
    const server = http.createServer((request, response) => app.ready(() => handle(request, response)));
    return server;
  },
};

function start(framework) {
  const server = frameworks[framework]();
  server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
    port = server.address().port;
    console.log(`listening ${port}`);
  });
  return server;
}

const [, , framework, end] = process.argv;
if (process.env.WORKERS && require('cluster').isPrimary) {
  for (let i = 0; i < Number(process.env.WORKERS); i++) require('cluster').fork();
} else {
  const server = start(frameworks[framework] ? framework : process.env.FRAMEWORK); // pm2 has arguments of its own.
  // After the answer to the first request, which takes long on a busy machine.
  const soon = (f) => server.once('request', (request, response) => response.once('finish', () => setTimeout(f, 300)));
  if (end === 'exit') soon(() => process.exit(3));
  if (end === 'drain') soon(() => { server.close(); if (server.closeAllConnections) server.closeAllConnections(); });
  if (end === 'throw') soon(() => { throw new Error('meant'); });
  if (end === 'handler') {
    process.on('SIGTERM', () => {
      console.log(`bye ${process.listenerCount('SIGTERM')}`);
      process.exit(7);
    });
  }
}
