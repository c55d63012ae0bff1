import os

import fastapi
import httpx

app = fastapi.FastAPI()


@app.get("/leaf/{n}")
async def leaf(n: int):
    return "leaf"


@app.get("/a/{n}")
async def a(n: int):
    async with httpx.AsyncClient() as client:
        return (await client.get("http://127.0.0.1:%s/leaf/%d" % (os.environ["PORT"], n))).json()
