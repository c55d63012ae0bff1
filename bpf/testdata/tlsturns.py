"""Serves HTTPS in ways that turn: each connection has a request over TLS, and then, by the path,
/plain... one without on the same socket; /fork... another one that a child answers, which is forked after the handshake."""
import os
import signal
import socket
import ssl
import sys
import threading

addr, cert, key = sys.argv[1:4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def one(conn):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = conn.recv(4096)
        if not more:
            return ""
        head += more
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    return head.split()[1].decode()


def answer(conn):
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    secure = context.wrap_socket(conn, server_side=True)
    path = one(secure)
    if path.startswith("/plain"):
        plain = secure.unwrap()
        one(plain)
        plain.close()
        return
    if path.startswith("/fork") and not os.fork():
        one(secure)
        os._exit(0)
    secure.close()


host, port = addr.rsplit(":", 1)
with socket.create_server((host, int(port)), backlog=128) as listener:
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
