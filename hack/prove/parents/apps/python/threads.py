"""A thread per connection, as http.server and the servers of Flask and Django for development do. Environment: PORT, BACKEND."""
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import common


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind, number = self.path.rsplit("/", 1)
        if kind == "/stream":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            for event in common.stream():
                self.wfile.write(event)
        if kind == "/poll":
            time.sleep(0.3)
        out = common.work(number) if kind == "/work" else b"ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, *args):
        pass


common.begin()
Server(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
