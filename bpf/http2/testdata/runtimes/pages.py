"""A server (hypercorn) or a client (httpx) of HTTP/2: pages.py KIND ADDR [REQUESTS PARALLEL].

Paths say what comes of them, as those of ../peer. A client waits for a line.
"""
import asyncio
import sys


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    several = sum(name == b"traceparent" for name, _ in scope["headers"]) > 1
    status = 400 if several else int(scope["path"].split("/")[1])
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


def serve(addr):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [addr]
    config.h2_max_concurrent_streams = 200
    asyncio.run(serve(app, config))


def what(i):
    """What request i is: its method, path, status and body."""
    code = 404 if i % 10 == 0 else 200
    return ("POST", f"/{code}/{i}", code, b"b" * (i * 37 % 30000)) if i % 3 == 0 else ("GET", f"/{code}/{i}", code, b"")


def check(i, code, body, answer):
    if answer.status_code != code or answer.content != body:
        raise SystemExit(f"{i}: {answer.status_code} with {len(answer.content)} bytes")


async def ask(addr, requests, parallel):
    import httpx

    numbers = iter(range(requests))

    async def work(client):
        for i in numbers:
            method, path, code, body = what(i)
            check(i, code, body, await client.request(method, f"http://{addr}{path}", content=body, headers={"x-number": str(i)}))

    async with httpx.AsyncClient(http1=False, http2=True, timeout=60) as client:
        await asyncio.gather(*(work(client) for _ in range(parallel)))


if __name__ == "__main__":
    kind, addr = sys.argv[1:3]
    if kind == "server":
        serve(addr)
    else:
        sys.stdin.readline()
        requests, parallel = map(int, sys.argv[3:5])
        asyncio.run(ask(addr, requests, parallel))
