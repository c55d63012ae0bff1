"""What every Python application of the bench does: one question per request, and work of its own all the time.

The last element of a path is the request that the work belongs to; "own" belongs to none. Environment: BACKEND.
"""
import http.client
import itertools
import os
import queue
import threading
import time
from urllib.parse import urlsplit

backend = urlsplit(os.environ["BACKEND"]).netloc
local = threading.local()
first = threading.Lock()
retries = queue.Queue()
numbers = itertools.count()


def ask(path):
    """Asks on the thread's own connection, which stays open."""
    if not hasattr(local, "conn"):
        local.conn = http.client.HTTPConnection(backend)
    local.conn.request("GET", path)
    return local.conn.getresponse().read()


def repeat(path, pause):
    while True:
        time.sleep(pause)
        ask(path)


def retry():
    while True:
        ask("/bg/retry/" + retries.get())


def start(run, *args):
    threading.Thread(target=run, args=args, daemon=True).start()


def begin():
    """Starts what runs without any request: a timer, a health check, a retry queue."""
    start(repeat, "/bg/timer/own", 0.005)
    start(repeat, "/bg/health/own", 0.02)
    start(retry)


def aside(number):
    """Starts what a request leaves behind: a flusher for good, retries, a refresh of a cache."""
    if first.acquire(blocking=False):
        start(repeat, "/bg/flush/" + number, 0.004)
    turn = next(numbers)
    if turn % 10 == 0:
        retries.put(number)
    if turn % 25 == 0:
        start(ask, "/bg/refresh/" + number)


def work(number):
    aside(number)
    return ask("/dep/" + number)


def stream():
    """Server-sent events that go on for as long as anybody listens."""
    while True:
        time.sleep(0.05)
        yield b"data: tick\n\n"
