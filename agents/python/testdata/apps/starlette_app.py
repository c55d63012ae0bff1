import os

import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def leaf(request):
    return PlainTextResponse("leaf")


async def a(request):
    async with httpx.AsyncClient() as client:
        answer = await client.get("http://127.0.0.1:%s/leaf/%s" % (os.environ["PORT"], request.path_params["n"]))
        return PlainTextResponse(answer.text)


app = Starlette(routes=[Route("/leaf/{n}", leaf), Route("/a/{n}", a)])
