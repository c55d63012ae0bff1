// The same in an ECMAScript module.
import { get } from 'node:http';
import express from 'express';

let port;
const app = express();
app.get('/users/:id', (request, response) => {
  setTimeout(() => get({ host: '127.0.0.1', port, path: '/leaf' }, (answer) => {
    answer.resume();
    answer.on('end', () => fetch(`http://127.0.0.1:${port}/leaf`).then((second) => second.text()).then((leaf) => response.send(`user ${request.params.id} leaf ${leaf}`)));
  }), 5);
});
app.get('/leaf', (request, response) => response.send('leaf'));
const server = app.listen(0, '127.0.0.1', () => {
  port = server.address().port;
  console.log(`listening ${port}`);
});
