# Asks a server three times, each on a connection of its own, and looks with FIONREAD
# how many bytes wait before it reads the answer. Prints the numbers. With "fork" a
# child does, after its parent has.
import fcntl
import os
import select
import socket
import struct
import sys
import termios


def ask(host, port):
    for _ in range(3):
        s = socket.create_connection((host, int(port)))
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        select.select([s], [], [], 5)
        # Whoever has asked once waits for the answer to the second question.
        print(struct.unpack("i", fcntl.ioctl(s, termios.FIONREAD, b"\0\0\0\0"))[0], flush=True)
        s.recv(9999)
        s.close()
        select.select([], [], [], 0.2)


ask(*sys.argv[1].split(":"))
if "fork" in sys.argv:
    if os.fork() == 0:
        ask(*sys.argv[1].split(":"))
        os._exit(0)
    os.wait()
