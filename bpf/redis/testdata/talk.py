"""Plays both ends of a random conversation in RESP: python3 talk.py SEED COMMANDS

Waits for a line. Commands, replies and pushes are cut into calls anywhere. Prints, for
each call that began commands, their names and the code of their first error, as JSON.
"""
import json
import random
import socket
import sys
import threading

seed, total = int(sys.argv[1]), int(sys.argv[2])
sys.stdin.readline()
draw = random.Random(seed)
NAMES = ["GET", "SET", "MGET", "hset", "LPUSH", "EVALSHA", "JSON.SET", "x", "A_VERY_LONG_NAME_OF_A_COMMAND"]
CODES = ["ERR", "WRONGTYPE", "MOVED", "NOSCRIPT", "LOADING"]
LOUD = b"*3\r\n$3\r\nGET\r\n-ERR :1 $5\r\n"  # values that look like the protocol


def blob(most):
    return (LOUD + draw.randbytes(most))[: draw.randrange(most)]


def bulk(b):
    return b"$%d\r\n%s\r\n" % (len(b), b)


def command(name):
    args = [name.encode()] + [blob(draw.choice([3, 40, 3000])) for _ in range(draw.choice([0, 1, 2, 5, 20]))]
    return b"*%d\r\n" % len(args) + b"".join(map(bulk, args))


def element(depth=0):
    kind = draw.choice("+:$_#,(=N" if depth > 2 else "+:$_#,(=N*~%*")
    if kind in "*~":
        n = draw.choice([0, 1, 2, 7])
        return b"%s%d\r\n" % (kind.encode(), n) + b"".join(element(depth + 1) for _ in range(n))
    if kind == "%":
        n = draw.choice([0, 1, 3])
        return b"%%%d\r\n" % n + b"".join(element(depth + 1) for _ in range(2 * n))
    if kind == "$":
        return bulk(blob(draw.choice([5, 100, 5000])))
    return {
        "+": b"+OK" + b"x" * draw.choice([0, 3, 200]), ":": b":-%d" % draw.randrange(10**9), "_": b"_", "#": b"#t",
        ",": b",3.25", "(": b"(349285", "=": b"=5\r\ntxt:x", "N": draw.choice([b"$-1", b"*-1"]),
    }[kind] + b"\r\n"


def reply():
    """Returns a reply and the code of its error."""
    before = b""
    while draw.random() < 0.1:
        before += draw.choice([b">2\r\n+invalidate\r\n*1\r\n$3\r\nkey\r\n", b">1\r\n+x\r\n"])
    if draw.random() < 0.05:
        before += b"|1\r\n+ttl\r\n:3600\r\n"
    if draw.random() < 0.2:
        code = draw.choice(CODES)
        return before + b"-%s %s\r\n" % (code.encode(), b"what has a key in it" * draw.choice([1, 20])), code
    if draw.random() < 0.05:
        return before + b"!21\r\nSYNTAX invalid syntax\r\n", "ERR"
    return before + element(), None


def cuts(data):
    """Cuts bytes into calls: few or many, of any length."""
    size = draw.choice([1, 7, 60, 1000, 100000])
    while data:
        n = draw.randint(1, size)
        yield data[:n]
        data = data[n:]


listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
for s in (client, server):
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
calls = []
left = total
while left:
    n = min(left, draw.choice([1, 1, 1, 2, 5, 30]))
    left -= n
    names = [draw.choice(NAMES) for _ in range(n)]
    data, begins = b"", []
    for name in names:
        begins.append(data.__len__())
        data += command(name)
    # A command begins with the call that ends its first line.
    begins = [data.index(b"\n", at) for at in begins]
    answers = [reply() for _ in names]
    pieces, at, mine = list(cuts(data)), 0, []
    if len(pieces) > 400:
        pieces = [data[:400]] + [data[400:]]
    grouped = []
    for piece in pieces:
        inside = [i for i, end in enumerate(begins) if at <= end < at + len(piece)]
        if inside:
            grouped.append(inside)
        at += len(piece)
    while len(grouped) > 8:  # more at a time are not kept
        pieces, grouped = [data], [list(range(n))]

    def serve():
        got = 0
        while got < len(data):
            got += len(server.recv(draw_server.choice([1, 100, 65536])))

    draw_server = random.Random(draw.random())
    reader = threading.Thread(target=serve)
    reader.start()
    for piece in pieces:
        client.sendall(piece)
    reader.join()
    back = b"".join(a for a, _ in answers)
    writer = threading.Thread(target=lambda: [server.sendall(p) for p in parts])
    parts = list(cuts(back))
    if len(parts) > 2000:
        parts = [back]
    writer.start()
    got = 0
    while got < len(back):
        got += len(client.recv(draw.choice([1, 100, 65536])))
    writer.join()
    for inside in grouped:
        codes = [answers[i][1] for i in inside if answers[i][1]]
        calls.append([[names[i].upper()[:24] for i in inside], codes[0] if codes else ""])
json.dump(calls, sys.stdout)
