// The worker that sends the last spans while the process's main thread waits in its exit handler.
'use strict';

const { workerData } = require('worker_threads');

const { url, headers, body, done, limit } = workerData;

function finish() {
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
}

const client = url.startsWith('https:') ? require('https') : require('http');
const request = client.request(url, {
  method: 'POST', timeout: limit,
  headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
}, (response) => {
  response.resume();
  response.on('end', finish);
});
request.on('error', finish);
request.end(body);
