"""A WSGI application for gunicorn's workers. Environment: BACKEND."""
import time

import common


def app(environ, start_response):
    kind, number = environ["PATH_INFO"].rsplit("/", 1)
    if kind == "/stream":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return common.stream()
    if kind == "/poll":
        time.sleep(0.3)
    out = common.work(number) if kind == "/work" else b"ok"
    start_response("200 OK", [("Content-Length", str(len(out)))])
    return [out]


common.begin()
