"""aiohttp: one thread and an event loop, also for the work of its own. Environment: PORT, BACKEND."""
import asyncio
import itertools
import os

from aiohttp import ClientSession, web

backend = os.environ["BACKEND"]
numbers = itertools.count()
tasks = set()
session = None


async def ask(path):
    async with session.get(backend + path) as answer:
        return await answer.read()


async def repeat(path, pause):
    while True:
        await asyncio.sleep(pause)
        await ask(path)


def start(coroutine):
    tasks.add(asyncio.ensure_future(coroutine))


async def work(request):
    number, turn = request.match_info["number"], next(numbers)
    if turn == 0:
        start(repeat("/bg/flush/" + number, 0.004))
    if turn % 25 == 0:
        start(ask("/bg/refresh/" + number))
    return web.Response(body=await ask("/dep/" + number))


async def stream(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await asyncio.sleep(0.05)
        await answer.write(b"data: tick\n\n")


async def poll(request):
    await asyncio.sleep(0.3)
    return web.Response(text="ok")


async def ready(request):
    return web.Response(text="ok")


async def begin(app):
    global session
    session = ClientSession()
    start(repeat("/bg/timer/own", 0.005))
    start(repeat("/bg/health/own", 0.02))


app = web.Application()
app.on_startup.append(begin)
app.add_routes([web.get("/work/{number}", work), web.get("/stream/own", stream), web.get("/poll/own", poll), web.get("/ready/own", ready)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
