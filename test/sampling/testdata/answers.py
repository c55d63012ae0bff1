"""Serves HTTP with a thread per connection and answers what its queries ask for, as answers/main.go does."""
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = {k: int(v[0]) for k, v in parse_qs(urlsplit(self.path).query).items()}
        time.sleep(asked.get("ms", 0) / 1000)
        size = asked["size"]
        self.send_response(asked["status"])
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(b"x" * size)

    do_POST = do_GET

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


host, port = sys.argv[1].split(":")
Server((host, int(port)), Answers).serve_forever()
