"""Asks a server once it is told to by a line: clients.py HOST:PORT close|upload TIMES."""
import http.client
import sys

sys.stdin.readline()
server, mode, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
conn = http.client.HTTPConnection(server)


def ask(method, path, body=None):
    conn.request(method, path, body)
    answer = conn.getresponse()
    answer.read()
    if answer.status != 200:
        sys.exit(f"{method} {path}: {answer.status}")


for i in range(times):
    if mode == "close":
        ask("GET", f"/{i}")  # the server closes, and http.client connects again
    else:
        ask("PUT", f"/up{i}", b"u" * 5_000_000)
        ask("GET", f"/after{i}")
