import os

import aiohttp
from aiohttp import web


async def leaf(request):
    return web.Response(text="leaf")


async def a(request):
    async with aiohttp.ClientSession() as session:
        async with session.get("http://127.0.0.1:%s/leaf/%s" % (os.environ["PORT"], request.match_info["n"])) as answer:
            return web.Response(text=await answer.text())


app = web.Application()
app.add_routes([web.get("/leaf/{n}", leaf), web.get("/a/{n}", a)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
