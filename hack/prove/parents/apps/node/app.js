// Node.js: one thread and an event loop, also for the work of its own. Environment: PORT, BACKEND.
const http = require('http');
const backend = process.env.BACKEND;
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 }); // a queue before the pool
let turn = 0;

function ask(path, then) {
  http.get(backend + path, { agent }, (answer) => {
    answer.resume();
    answer.on('end', () => then && then());
  }).on('error', () => then && then());
}

setInterval(() => ask('/bg/timer/own'), 5);
setInterval(() => ask('/bg/health/own'), 20);

function work(number, res) {
  if (turn === 0) setInterval(() => ask(`/bg/flush/${number}`), 4);
  if (turn % 25 === 0) setImmediate(() => ask(`/bg/refresh/${number}`));
  if (turn % 10 === 0) setTimeout(() => ask(`/bg/retry/${number}`), 3);
  turn++;
  ask(`/dep/${number}`, () => res.end('ok'));
}

http.createServer((req, res) => {
  const [, kind, number] = req.url.split('/');
  if (kind === 'work') return work(number, res);
  if (kind === 'poll') return setTimeout(() => res.end('ok'), 300);
  if (kind !== 'stream') return res.end('ok');
  const ticks = setInterval(() => res.write('data: tick\n\n'), 50);
  res.on('close', () => clearInterval(ticks));
}).listen(Number(process.env.PORT), '127.0.0.1');
