"""recommender says what others bought too.

One thread per connection (ThreadingHTTPServer); each thread keeps its own
connection to pricing.
"""

import http.client
import http.server
import json
import os
import sys
import threading
from urllib.parse import urlsplit

PRICING = urlsplit(os.environ.get("PRICING", "http://pricing:8080"))
local = threading.local()


def price(order):
    """Asks pricing on this thread's connection; a connection that the other
    side closed meanwhile is opened once more."""
    path = "/price/recommender/" + order
    for attempt in (1, 2):
        if not hasattr(local, "pricing"):
            local.pricing = http.client.HTTPConnection(PRICING.hostname, PRICING.port or 80, timeout=10)
        try:
            local.pricing.request("GET", path)
            response = local.pricing.getresponse()
            body = response.read()
        except (http.client.HTTPException, OSError):
            local.pricing.close()
            if attempt == 2:
                raise
            continue
        if response.status != 200:
            raise RuntimeError("pricing answered %d" % response.status)
        return json.loads(body)["cents"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one segment: without it, Nagle's algorithm holds
    # the body back until the head is acknowledged.
    wbufsize = -1

    def do_GET(self):
        if self.path == "/healthz":
            self.answer(200, {"ok": True})
            return
        prefix, _, order = self.path.rpartition("/")
        if prefix != "/recommendations":
            self.answer(404, {"error": "no such page"})
            return
        try:
            cents = price(order)
        except (RuntimeError, http.client.HTTPException, OSError) as e:
            self.answer(502, {"error": str(e)})
            return
        self.answer(200, {"order": order, "recommended": ["table", "vase"], "cents": cents})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *args):
        """Keeps the request log quiet."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 refuses connections when 50 clients arrive at once.
    request_queue_size = 128


if __name__ == "__main__":
    host, _, port = os.environ.get("LISTEN", ":8080").rpartition(":")
    print("recommender listens on %s:%s" % (host, port), file=sys.stderr, flush=True)
    Server((host, int(port)), Handler).serve_forever()
