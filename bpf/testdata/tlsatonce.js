// Serves HTTPS and asks the next hop for the same path, on a connection of its own, which it writes to in the
// callback that tells of the end of the handshake: OpenSSL is still in the call that has read it. undici does so.
const https = require('https'), tls = require('tls'), fs = require('fs');
const [addr, next, cert, key] = process.argv.slice(2);
const [host, port] = addr.split(':');
const peer = new URL(next);
const ca = fs.readFileSync(cert);
https.createServer({cert: ca, key: fs.readFileSync(key)}, (req, res) => {
  const socket = tls.connect({host: peer.hostname, port: peer.port, ca}, () => {
    socket.write(`GET ${req.url} HTTP/1.1\r\nHost: ${peer.host}\r\n\r\n`);
  });
  socket.once('data', () => {
    socket.end();
    res.end(req.url + '\n');
  });
}).listen(Number(port), host);
