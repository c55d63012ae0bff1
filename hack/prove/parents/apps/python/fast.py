"""FastAPI on uvicorn: an event loop that hands plain functions to a pool of threads. Environment: BACKEND."""
import time

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

import common

app = FastAPI()
common.begin()


@app.get("/work/{number}", response_class=PlainTextResponse)
def work(number: str):
    return common.work(number).decode()


@app.get("/stream/own")
def stream():
    return StreamingResponse(common.stream())


@app.get("/poll/own", response_class=PlainTextResponse)
def poll():
    time.sleep(0.3)
    return "ok"


@app.get("/ready/own", response_class=PlainTextResponse)
def ready():
    return "ok"
