"""Serves HTTP with a thread per connection and asks the next hop for the same path.

A third argument changes how it asks. "poll" asks FIONREAD how much there is before
it reads, again and again, "edge" only after epoll has told of something new.
"executor" asks from a pool of threads, which grows while requests run.
"background" has a thread that asks on its own account all the time.
Where these two serve a path that begins with /plain, they ask nobody.
"late-threads" asks after the answer, from 32 threads in turn.
"handover" reads the head and hands what begins with /hand to a process that answers.
"""
import array
import fcntl
import http.client
import itertools
import os
import select
import socket
import sys
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

addr, following = sys.argv[1], sys.argv[2]
mode = sys.argv[3] if len(sys.argv) > 3 else ""
polls = mode if mode in ("poll", "edge") else ""
local = threading.local()
executor = ThreadPoolExecutor(32)


class Polling(socket.socket):
    """Reads no more than FIONREAD tells, and waits as long as that is nothing."""

    def recv_into(self, buffer, nbytes=0, flags=0):
        edge = getattr(self, "edge", None)
        if edge is None and polls == "edge":
            edge = self.edge = select.epoll()
            edge.register(self.fileno(), select.EPOLLIN | select.EPOLLET)
        count = array.array("i", [0])
        while True:
            fcntl.ioctl(self, termios.FIONREAD, count)
            if count[0]:
                return super().recv_into(buffer, min(count[0], nbytes or len(buffer)), flags)
            if edge:
                edge.poll()
            else:
                select.select([], [], [], 0.001)


def connect(address, timeout=None, source=None):
    s = Polling(socket.AF_INET, socket.SOCK_STREAM)
    s.connect(address)
    return s


def ask(path):
    if not getattr(local, "conn", None):
        local.conn = http.client.HTTPConnection(urlsplit(following).netloc)
        if polls:
            local.conn._create_connection = connect
    local.conn.request("GET", path)
    return local.conn.getresponse().read()


def ask_for(path):
    """Asks in the way of the mode, and stays open a little longer than its work."""
    if mode == "late-threads" and path.startswith("/slow"):
        time.sleep(0.08)
        return b""
    if mode == "late-threads":
        next(turns).submit(ask_late, path)
        time.sleep(0.005)
        return b""
    if mode not in ("executor", "background"):
        return ask(path)
    if path.startswith("/plain"):
        time.sleep(0.005)
        return b""
    out = executor.submit(ask, path).result() if mode == "executor" else ask(path)
    time.sleep(0.02)
    return out


def ask_late(path):
    time.sleep(0.015)
    ask(path)


def ask_on():
    for i in range(1_000_000):
        ask(f"/background{i}")
        time.sleep(0.005)


class Hop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        traces = self.headers.get_all("traceparent") or []
        out = f"py {self.path} {traces}\n".encode()
        if following != "-":
            out += ask_for(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *args):
        pass


def answer(conn):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    conn.close()


def hand_over():
    """Answers what it does not hand to the process that it has started."""
    here, there = socket.socketpair()
    if os.fork() == 0:
        here.close()
        while True:
            message, fds, _, _ = socket.recv_fds(there, 1, 1)
            if not message:
                os._exit(0)
            answer(socket.socket(fileno=fds[0]))
    there.close()
    host, port = addr.rsplit(":", 1)
    with socket.create_server((host, int(port))) as listener:
        while True:
            conn, _ = listener.accept()
            head = conn.recv(65536)
            if b"GET /hand" in head:
                socket.send_fds(here, [b"x"], [conn.fileno()])
                conn.close()
            elif head:
                ask(head.split()[1].decode())
                answer(conn)


class Server(ThreadingHTTPServer):
    request_queue_size = 128


if mode == "late-threads":
    pools = [ThreadPoolExecutor(1) for _ in range(32)]
    for pool in pools:
        pool.submit(int).result()
    turns = itertools.cycle(pools)
if mode == "background":
    threading.Thread(target=ask_on, daemon=True).start()
if mode == "handover":
    hand_over()
host, port = addr.rsplit(":", 1)
Server((host, int(port)), Hop).serve_forever()
