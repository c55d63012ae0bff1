// A server or a client of gRPC, with @grpc/grpc-js: calls.cjs KIND ADDR [REQUESTS PARALLEL].
// Methods say what comes of them, as those of ../peer. A client waits for a line.
const grpc = require("@grpc/grpc-js");
const [kind, addr, requests, parallel] = process.argv.slice(2);
const as = (bytes) => bytes;
const kinds = { 0: "UnaryMissing", 1: "UnaryBroken", 2: "Talk", 4: "Cancel" };
const want = { UnaryMissing: grpc.status.NOT_FOUND, UnaryBroken: grpc.status.DATA_LOSS, Cancel: grpc.status.CANCELLED };
const kindOf = (i) => (i % 100 === 3 ? "UnaryLarge" : kinds[i % 10] ?? "Unary");
const pathOf = (i) => `/odi.test.Peer/${kindOf(i)}${i}`;

function serve(path, call) {
  if (call.metadata.get("traceparent").length > 1) {
    call.emit("error", { code: grpc.status.INTERNAL, details: "two headers" });
    return;
  }
  call.on("data", (message) => {
    if (path.includes("Missing")) call.emit("error", { code: grpc.status.NOT_FOUND, details: "secret reason" });
    else if (path.includes("Broken")) call.emit("error", { code: grpc.status.DATA_LOSS, details: "secret reason" });
    else {
      call.write(message);
      if (path.includes("Unary")) call.end();
    }
  });
  call.on("end", () => { if (!path.includes("Unary")) call.end(); });
  call.on("error", () => {});
}

function server() {
  const s = new grpc.Server({ "grpc.max_metadata_size": 1 << 20, "grpc-node.max_session_memory": 1000 });
  for (let i = 0; i < 3000; i++) {
    const path = pathOf(i);
    s.register(path, (call) => serve(path, call), as, as, "bidi");
  }
  s.bindAsync(addr, grpc.ServerCredentials.createInsecure(), (err) => { if (err) throw err; });
}

function ask(client, i) {
  const is = kindOf(i), text = Buffer.alloc((i * 37) % 120, "m");
  const message = Buffer.concat([Buffer.from([10, text.length]), text]), metadata = new grpc.Metadata();
  metadata.set("x-number", String(i));
  if (is === "UnaryLarge") metadata.set("x-large", Array.from({ length: 25000 + i }, (_, n) => "abcxyz!#$"[(n * n + i) % 9]).join(""));
  return new Promise((resolve, reject) => {
    const ends = (code, same) => (code === (want[is] ?? grpc.status.OK) && same ? resolve() : reject(new Error(`call ${i}: ${is} ${code} ${same}`)));
    const options = { deadline: Date.now() + 60000 };
    if (is.startsWith("Unary")) {
      client.makeUnaryRequest(pathOf(i), as, as, message, metadata, options, (err, got) => ends(err ? err.code : 0, err || message.equals(got)));
      return;
    }
    const call = client.makeBidiStreamRequest(pathOf(i), as, as, metadata, options);
    let n = 0, same = true;
    call.write(message);
    call.on("data", (got) => {
      same = same && message.equals(got);
      if (is === "Cancel" && n === 1) call.cancel();
      else if (++n < 5) call.write(message);
      else call.end();
    });
    call.on("error", () => {});
    call.on("status", (status) => ends(status.code, same));
  });
}

async function client() {
  const c = new grpc.Client(addr, grpc.credentials.createInsecure());
  let next = 0;
  const work = async () => { while (next < requests) await ask(c, next++); };
  await Promise.all(Array.from({ length: Number(parallel) }, work));
  c.close();
}

if (kind === "server") server();
else process.stdin.once("data", () => client().then(() => process.exit(0), (err) => { console.error(err); process.exit(1); }));
