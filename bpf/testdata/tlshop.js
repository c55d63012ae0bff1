// Serves HTTPS and asks the next hop for the same path over HTTPS.
const https = require('https'), fs = require('fs');
const [addr, next, cert, key] = process.argv.slice(2);
const agent = new https.Agent({keepAlive: true, ca: fs.readFileSync(cert)});
const [host, port] = addr.split(':');
https.createServer({cert: fs.readFileSync(cert), key: fs.readFileSync(key)}, (req, res) => {
  if (next === '-') {
    res.end(req.url + '\n');
    return;
  }
  https.get(next + req.url, {agent}, (answer) => {
    answer.resume();
    answer.on('end', () => res.end(req.url + '\n'));
  });
}).listen(Number(port), host);
