"""Keeps what is to be sent, and sends it from one thread of the process, which starts with the first span."""

import collections
import os
import sys
import threading
import time

from odi_agent import encode
from odi_agent.sender import Unavailable

# All that the end of a process may cost. Half a second is left of what is promised.
_AT_EXIT = 1.5
_TRIES = 5
# A fork waits for what is being encoded, not longer than this.
_FORK_WAIT = 1


def _number(name, default):
    try:
        return max(1, int(os.environ.get(name, default)))
    except ValueError:
        return default


class Worker:
    """Worker owns the queue of spans. Forks get an empty queue and a thread of their own; what the parent has
    queued, the parent sends."""

    def __init__(self, resource, senders):
        self._resource, self._senders = resource, senders
        self._collect = None
        self._queue = collections.deque(maxlen=_number("OTEL_BSP_MAX_QUEUE_SIZE", 2048))
        self._most = min(self._queue.maxlen, _number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512))
        # A second, not five: a process that a signal kills loses what it has queued.
        self._delay = _number("OTEL_BSP_SCHEDULE_DELAY", 1000) / 1000
        self._metrics_delay = _number("OTEL_METRIC_EXPORT_INTERVAL", 60000) / 1000
        self._renew()
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._after_fork_in_child
        )

    def _renew(self):
        self._thread, self._ended, self._unsent = None, False, None
        self._flushed, self._until = None, float("-inf")
        self._starting, self._busy = threading.Lock(), threading.Lock()
        self._holds = False
        self._next_metrics = time.monotonic() + self._metrics_delay

    def collect_metrics_with(self, collect):
        self._collect = collect

    def add(self, span):
        self._queue.append(span)
        if self._thread is None:
            self._start()
        elif len(self._queue) >= self._most:
            self._wake.set()

    def _start(self):
        """Late, so that a process that forks its servers has no thread, and gevent's threads are gevent's."""
        from opentelemetry import context

        with self._starting:
            if self._thread is not None or self._ended:
                return
            # The thread must not inherit the context of the request that it is started in.
            token = context.attach(context.Context())
            try:
                self._wake = threading.Event()
                thread = threading.Thread(target=self._run, name="odi-agent", daemon=True)
                thread.start()
                self._thread = thread
            except RuntimeError:
                pass  # At the interpreter's end there are no new threads; end() sends.
            finally:
                context.detach(token)

    def _run(self):
        while not self._ended:
            self._wake.wait(self._delay)
            self._wake.clear()
            flushed, self._flushed = self._flushed, None
            self._send_spans()
            if flushed is not None or time.monotonic() >= self._next_metrics:
                self._send_metrics()
            if flushed is not None:
                flushed.set()
        self._send_all()

    def _send_all(self):
        self._send_spans()
        self._send_metrics()

    def _send_spans(self):
        sender = self._senders.get("traces")
        while sender is not None and (self._unsent or self._queue):
            body, tries = self._unsent or (self._encode_batch(), 0)
            self._unsent = None
            try:
                sender.post(body)
            except Unavailable:
                if tries + 1 < _TRIES:
                    self._unsent = body, tries + 1
                return

    def _encode_batch(self):
        with self._busy:
            batch = []
            while self._queue and len(batch) < self._most:
                batch.append(self._queue.popleft())
            return encode.traces(batch, self._resource())

    def _send_metrics(self):
        self._next_metrics = time.monotonic() + self._metrics_delay
        sender, collect = self._senders.get("metrics"), self._collect
        if sender is None or collect is None:
            return
        try:
            with self._busy:
                data = collect()
                body = encode.metrics(data, self._resource()) if data is not None else None
            if body is not None:
                sender.post(body)
        except Unavailable:
            pass  # The next ones hold these.

    def flush(self, *_):
        """Sends what is queued when the process is about to end, perhaps by a signal that runs nothing more."""
        if self._thread is None or not self._thread.is_alive():
            return
        flushed = self._flushed = threading.Event()
        self._wake.set()
        flushed.wait(self._left())

    def end(self):
        """Sends what is left, and is the end of the worker."""
        if self._ended:
            return
        left = self._left()
        for sender in self._senders.values():
            sender.until = time.monotonic() + left
        self._ended = True
        if self._thread is not None and self._thread.is_alive():
            self._wake.set()
            self._thread.join(left)
        elif self._queue:
            self._send_all()

    def _left(self):
        """The time that is left of _AT_EXIT, which flush and end share when they follow each other."""
        now = time.monotonic()
        if now > self._until + 10 * _AT_EXIT:
            self._until = now + _AT_EXIT
        return max(0, self._until - now)

    def end_in_child_of(self, util):
        """Lets children that multiprocessing forks send at their end, where atexit does not run."""
        util.register_after_fork(self, lambda worker: util.Finalize(None, worker.end, exitpriority=-1))

    def _before_fork(self):
        self._holds = self._busy.acquire(timeout=_FORK_WAIT)

    def _after_fork(self):
        if self._holds:
            self._busy.release()

    def _after_fork_in_child(self):
        self._renew()
        self._queue.clear()
        for sender in self._senders.values():
            sender.until = None


def report(error):
    """Says on stderr what failed, for whoever asked with OTEL_LOG_LEVEL=debug."""
    if os.environ.get("OTEL_LOG_LEVEL", "").lower() == "debug":
        print("odi agent: %s: %s" % (type(error).__name__, error), file=sys.stderr)
