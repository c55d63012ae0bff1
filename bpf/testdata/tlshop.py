"""Serves HTTPS with a thread per connection, and asks the next hop for the same path over HTTPS."""
import http.client
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

addr, following, cert, key = sys.argv[1:5]
local = threading.local()
trusting = ssl.create_default_context(cafile=cert)
trusting.check_hostname = False


def ask(path):
    if not getattr(local, "conn", None):
        local.conn = http.client.HTTPSConnection(urlsplit(following).netloc, context=trusting)
    local.conn.request("GET", path)
    return local.conn.getresponse().read()


class Hop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        out = f"{self.path} {self.headers.get_all('traceparent') or []}\n".encode()
        if following != "-":
            out += ask(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
host, port = addr.rsplit(":", 1)
server = Server((host, int(port)), Hop)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
