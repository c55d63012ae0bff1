"""Serves HTTPS with asyncio, which moves the ciphertext by itself."""
import asyncio
import ssl
import sys

addr, _, cert, key = sys.argv[1:5]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = head.split()[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    host, port = addr.rsplit(":", 1)
    server = await asyncio.start_server(serve, host, int(port), ssl=context, backlog=128)
    await server.serve_forever()


asyncio.run(main())
