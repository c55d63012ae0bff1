"""Keeps many calls in flight on one connection: python3 deep.py PORT DEEP CALLS

Waits for a line. Each call has one command; every third one fails. As many calls as replies have come follow.
"""
import socket
import sys

port, deep, calls = map(int, sys.argv[1:])
sys.stdin.readline()
server = socket.create_connection(("127.0.0.1", port))
GET = b"*2\r\n$3\r\nGET\r\n$4\r\ntext\r\n"
LPUSH = b"*3\r\n$5\r\nLPUSH\r\n$4\r\ntext\r\n$1\r\nx\r\n"
other = socket.create_connection(("127.0.0.1", port))
other.sendall(b"SET text x\r\n")
other.recv(100)
sent = answered = 0
replies = server.makefile("rb")
while answered < calls:
    while sent < calls and sent - answered < deep:
        server.sendall(GET if sent % 3 else LPUSH)
        sent += 1
    line = replies.readline()
    if line.startswith(b"$"):
        replies.readline()
    answered += 1
