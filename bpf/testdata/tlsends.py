"""Answers over TLS in ways that end otherwise: by the path, one connection at a time per thread."""
import os
import signal
import socket
import ssl
import sys
import threading
import time

addr, cert, key = sys.argv[1:4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)


def answer(conn):
    try:
        conn = context.wrap_socket(conn, server_side=True)
        head = conn.recv(65536).decode()
        path = head.split()[1]
        if path.startswith("/until-close"):
            conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000)
            conn.unwrap()
        elif path.startswith("/cut"):
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 50)
        elif path.startswith("/nothing"):
            pass
        elif path.startswith("/slow"):
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 50)
            time.sleep(1)
        elif path.startswith("/pieces"):
            conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
            for i in range(500):
                conn.sendall(b"a\r\n")
                conn.sendall(b"0123456789\r\n")
            conn.sendall(b"0\r\n\r\n")
        elif path.startswith("/reset"):
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif path.startswith("/die"):
            os.kill(os.getpid(), signal.SIGKILL)
    except (OSError, ssl.SSLError):
        pass
    finally:
        conn.close()


host, port = addr.rsplit(":", 1)
with socket.create_server((host, int(port)), backlog=128) as listener:
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
