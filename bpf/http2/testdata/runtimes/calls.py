"""A server or a client of gRPC, with Python's grpcio: calls.py KIND ADDR [REQUESTS PARALLEL].

Methods say what comes of them, as those of ../peer. A client waits for a line.
"""
import asyncio
import random
import sys
import time
from concurrent import futures

import grpc

OPTIONS = [("grpc.max_metadata_size", 1 << 20), ("grpc.absolute_max_metadata_size", 1 << 20), ("grpc.so_reuseport", 0)]
WANT = {"UnaryMissing": grpc.StatusCode.NOT_FOUND, "UnaryBroken": grpc.StatusCode.DATA_LOSS, "Cancel": grpc.StatusCode.CANCELLED}


def reason(method):
    if "Missing" in method:
        return grpc.StatusCode.NOT_FOUND
    return grpc.StatusCode.DATA_LOSS if "Broken" in method else None


def looked(metadata):
    """The headers that came may be one of ours, and never two."""
    return sum(key == "traceparent" for key, _ in metadata) <= 1


class Threads(grpc.GenericRpcHandler):
    def service(self, details):
        method = details.method

        def serve(messages, context):
            if not looked(context.invocation_metadata()):
                context.abort(grpc.StatusCode.INTERNAL, "two headers")
            for message in messages:
                if reason(method):
                    context.abort(reason(method), "secret reason")
                yield message
                if "Unary" in method:
                    return

        return grpc.stream_stream_rpc_method_handler(serve)


class Loop(grpc.GenericRpcHandler):
    def service(self, details):
        method = details.method

        async def serve(messages, context):
            if not looked(context.invocation_metadata()):
                await context.abort(grpc.StatusCode.INTERNAL, "two headers")
            async for message in messages:
                if reason(method):
                    await context.abort(reason(method), "secret reason")
                yield message
                if "Unary" in method:
                    return

        return grpc.stream_stream_rpc_method_handler(serve)


def serve_threads(addr):
    server = grpc.server(futures.ThreadPoolExecutor(200), [Threads()], options=OPTIONS)
    server.add_insecure_port(addr)
    server.start()
    server.wait_for_termination()


async def serve_loop(addr):
    server = grpc.aio.server(handlers=[Loop()], options=OPTIONS)
    server.add_insecure_port(addr)
    await server.start()
    await server.wait_for_termination()


def what(i):
    """What call i is: its method, its message, its metadata."""
    kind = {0: "UnaryMissing", 1: "UnaryBroken", 2: "Talk", 4: "Cancel"}.get(i % 10, "Unary")
    if i % 100 == 3:
        kind = "UnaryLarge"
    text = b"m" * (i * 37 % 120)
    metadata = [("x-number", str(i))]
    if kind == "UnaryLarge":  # more than a frame takes
        metadata.append(("x-large", "".join(random.choices("abcdefghijklmnopqrstuvwxyz!#$", k=25000 + i))))
    return kind, f"/odi.test.Peer/{kind}{i}", bytes([10, len(text)]) + text, metadata


def check(i, kind, got, code):
    if code != WANT.get(kind, grpc.StatusCode.OK):
        raise SystemExit(f"call {i}: {kind} {code}")
    if code == grpc.StatusCode.OK and not got:
        raise SystemExit(f"call {i}: {kind} another message")


def ask_threads(channel, i):
    kind, method, message, metadata = what(i)
    got, code = True, grpc.StatusCode.OK
    try:
        if kind.startswith("Unary"):
            got = channel.unary_unary(method)(message, timeout=60, metadata=metadata) == message
        else:
            def messages():
                for n in range(5):
                    yield message
                while kind == "Cancel":  # goes on until it is cancelled
                    time.sleep(0.05)
                    if call.done():
                        return
            call = channel.stream_stream(method)(messages(), timeout=60, metadata=metadata)
            for n, answer in enumerate(call):
                got = got and answer == message
                if kind == "Cancel" and n == 1:
                    call.cancel()
    except grpc.RpcError as error:
        code = error.code()
    check(i, kind, got, code)


def client_threads(addr, requests, parallel):
    with grpc.insecure_channel(addr, options=OPTIONS) as channel, futures.ThreadPoolExecutor(parallel) as pool:
        for done in [pool.submit(ask_threads, channel, i) for i in range(requests)]:
            done.result()


async def ask_loop(channel, i):
    kind, method, message, metadata = what(i)
    got, code = True, grpc.StatusCode.OK
    try:
        if kind.startswith("Unary"):
            got = await channel.unary_unary(method)(message, timeout=60, metadata=metadata) == message
        else:
            call = channel.stream_stream(method)(timeout=60, metadata=metadata)
            for n in range(5):
                await call.write(message)
                got = got and await call.read() == message
                if kind == "Cancel" and n == 1:
                    call.cancel()
                    return
            await call.done_writing()
            got = got and await call.read() is grpc.aio.EOF
    except grpc.RpcError as error:
        code = error.code()
    check(i, kind, got, code)


async def client_loop(addr, requests, parallel):
    numbers = iter(range(requests))

    async def work(channel):
        for i in numbers:
            await ask_loop(channel, i)

    async with grpc.aio.insecure_channel(addr, options=OPTIONS) as channel:
        await asyncio.gather(*(work(channel) for _ in range(parallel)))


if __name__ == "__main__":
    kind, addr = sys.argv[1:3]
    if kind == "server":
        serve_threads(addr)
    elif kind == "aio-server":
        asyncio.run(serve_loop(addr))
    else:
        sys.stdin.readline()
        requests, parallel = map(int, sys.argv[3:5])
        if kind == "client":
            client_threads(addr, requests, parallel)
        else:
            asyncio.run(client_loop(addr, requests, parallel))
