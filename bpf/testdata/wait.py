# Asks the address that it is given three times over one connection that blocks, and
# handles a signal every 20 ms while it waits: wait.py ADDR SIGNAL BODY.
import http.client
import signal
import sys
import threading
import time

addr, number, body = sys.argv[1], int(sys.argv[2]), b"x" * int(sys.argv[3])
handled = []
signal.signal(number, lambda *_: handled.append(1))
main = threading.main_thread().ident
waiting = threading.Event()


def disturb():
    while True:
        time.sleep(0.02)
        if waiting.is_set():
            signal.pthread_kill(main, number)


threading.Thread(target=disturb, daemon=True).start()
conn = http.client.HTTPConnection(addr)
for _ in range(3):
    conn.request("POST", "/", body)
    waiting.set()
    answer = conn.getresponse()
    waiting.clear()
    answer.read()
    time.sleep(0.3)
if not handled:
    sys.exit("no signal came")
