// Asks a server once it is told to by a line: clients.js HOST:PORT close|upload TIMES.
const http = require('http')
const [server, mode, times] = process.argv.slice(2)
const [host, port] = server.split(':')
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

function ask(method, path, body) {
  return new Promise((done, fail) => {
    const headers = body ? { 'Content-Length': body.length } : {}
    const request = http.request({ host, port, method, path, agent, headers }, answer => {
      answer.resume()
      answer.on('end', () => answer.statusCode === 200 ? done() : fail(answer.statusCode))
    })
    request.on('error', fail)
    request.end(body)
  })
}

process.stdin.once('data', async () => {
  for (let i = 0; i < Number(times); i++) {
    if (mode === 'close') {
      await ask('GET', `/${i}`)
      continue
    }
    await ask('PUT', `/up${i}`, Buffer.alloc(5_000_000, 'u'))
    await ask('GET', `/after${i}`)
  }
  process.exit(0)
})
