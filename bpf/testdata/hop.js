// Serves HTTP from one thread and asks the next hop for the same path.
const http = require('http');
const [host, port] = process.argv[2].split(':');
const next = process.argv[3];
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

http.createServer((req, res) => {
  const line = `node ${req.url}\n`;
  if (next === '-') {
    res.end(line);
    return;
  }
  http.get(next + req.url, { agent }, (answer) => {
    let body = line;
    answer.on('data', (chunk) => { body += chunk; });
    answer.on('end', () => res.end(body));
  });
}).listen(Number(port), host);
