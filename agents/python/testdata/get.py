"""Requests the URL that is named with urllib, from the main process or from a child of the kind that is named."""

import multiprocessing
import os
import sys
import urllib.request


def get():
    urllib.request.urlopen(sys.argv[1]).read()


def fork():
    pid = os.fork()
    if pid == 0:
        get()
        sys.exit(0)
    os.waitpid(pid, 0)


def child(kind):
    process = multiprocessing.get_context(kind).Process(target=get)
    process.start()
    process.join()
    sys.exit(process.exitcode)


if __name__ == "__main__":
    kind = sys.argv[2]
    if kind == "itself":
        get()
    elif kind == "fork":
        fork()
    else:
        child(kind)
