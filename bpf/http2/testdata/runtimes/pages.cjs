// A server or a client of HTTP/2, with Node.js's http2: pages.cjs KIND ADDR [REQUESTS PARALLEL].
// Paths say what comes of them, as those of ../peer. A client waits for a line.
const http2 = require("http2");
const [kind, addr, requests, parallel] = process.argv.slice(2);

function server() {
  const s = http2.createServer({ maxSessionMemory: 1000 });
  s.on("stream", (stream, headers) => {
    const several = String(headers.traceparent ?? "").includes(",");
    stream.on("error", () => {});
    const pieces = [];
    stream.on("data", (piece) => pieces.push(piece));
    stream.on("end", () => {
      stream.respond({ ":status": several ? 400 : Number(headers[":path"].split("/")[1]) });
      stream.end(Buffer.concat(pieces));
    });
  });
  const [host, port] = addr.split(":");
  s.listen(Number(port), host);
}

function ask(session, i) {
  const code = i % 10 === 0 ? 404 : 200, post = i % 3 === 0;
  const body = Buffer.alloc(post ? (i * 37) % 30000 : 0, "b");
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": `/${code}/${i}`, ":method": post ? "POST" : "GET", "x-number": String(i) }, { endStream: !post });
    let status = 0;
    const pieces = [];
    stream.on("response", (headers) => { status = headers[":status"]; });
    stream.on("data", (piece) => pieces.push(piece));
    stream.on("error", reject);
    stream.on("end", () => (status === code && Buffer.concat(pieces).equals(body) ? resolve() : reject(new Error(`${i}: ${status}`))));
    if (post) stream.end(body);
  });
}

async function client() {
  const session = http2.connect(`http://${addr}`);
  let next = 0;
  const work = async () => { while (next < requests) await ask(session, next++); };
  await Promise.all(Array.from({ length: Number(parallel) }, work));
  session.close();
}

if (kind === "server") server();
else process.stdin.once("data", () => client().then(() => process.exit(0), (err) => { console.error(err); process.exit(1); }));
