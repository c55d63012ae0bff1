"""Sends bodies over HTTP/1.1 with nothing but sockets, so that no library of the application is used or seen."""

import os
import socket
import time
from urllib.parse import unquote, urlsplit

_SIGNALS = {"traces": "/v1/traces", "metrics": "/v1/metrics"}
_AGAIN = (429, 502, 503, 504)
_MOST_OF_ANSWER = 64 * 1024


class Unavailable(Exception):
    """The collector did not take a body and may take it later."""


class Sender:
    """Sender posts the bodies of one signal. Not for use by two threads at once."""

    def __init__(self, signal):
        self._url = urlsplit(_endpoint(signal))
        self._headers = _headers(signal)
        self._timeout = _timeout(signal)
        self._zip = _setting(signal, "COMPRESSION").lower() == "gzip"
        self.until = None  # Set at the process's end: no attempt lasts longer than this time.

    def post(self, body):
        """Raises Unavailable if it is worth to try again."""
        timeout = self._timeout
        if self.until is not None:
            timeout = min(timeout, self.until - time.monotonic())
            if timeout <= 0:
                return
        headers = dict(self._headers)
        headers["Content-Type"] = "application/json"
        if self._zip:
            import gzip

            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, 5)
        try:
            status = self._plain(headers, body, timeout) if self._url.scheme == "http" else self._tls(headers, body, timeout)
        except (OSError, ValueError) as error:
            raise Unavailable from error
        if status in _AGAIN:
            raise Unavailable

    def _plain(self, headers, body, timeout):
        deadline = time.monotonic() + timeout
        url = self._url
        lines = ["POST %s HTTP/1.1" % _target(url), "Host: " + url.netloc.rpartition("@")[2]]
        lines += ["%s: %s" % header for header in headers.items()]
        lines += ["Content-Length: %d" % len(body), "Connection: close", "", ""]
        with socket.create_connection((url.hostname, url.port or 80), timeout) as connection:
            connection.sendall("\r\n".join(lines).encode("latin-1") + body)
            answer = b""
            while len(answer) < _MOST_OF_ANSWER:
                connection.settimeout(max(0.001, deadline - time.monotonic()))
                part = connection.recv(4096)
                if not part:
                    break
                answer += part
        return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 503

    def _tls(self, headers, body, timeout):
        # Imported late: gevent must find ssl as yet unused.
        import http.client
        import ssl

        context = ssl.create_default_context(cafile=_setting("", "CERTIFICATE") or None)
        certificate = _setting("", "CLIENT_CERTIFICATE")
        if certificate:
            context.load_cert_chain(certificate, _setting("", "CLIENT_KEY") or None)
        url = self._url
        connection = http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=timeout, context=context)
        try:
            connection.request("POST", _target(url), body, headers)
            return connection.getresponse().status
        except http.client.HTTPException as error:
            raise Unavailable from error
        finally:
            connection.close()


def _target(url):
    return (url.path or "/") + ("?" + url.query if url.query else "")


def _setting(signal, name):
    general = os.environ.get("OTEL_EXPORTER_OTLP_" + name, "")
    if not signal:
        return general
    return os.environ.get("OTEL_EXPORTER_OTLP_%s_%s" % (signal.upper(), name), general)


def protocol(signal):
    return _setting(signal, "PROTOCOL").strip()


def _endpoint(signal):
    own = os.environ.get("OTEL_EXPORTER_OTLP_%s_ENDPOINT" % signal.upper(), "")
    if own:
        return own
    general = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "") or "http://localhost:4318"
    return general.rstrip("/") + _SIGNALS[signal]


def _headers(signal):
    headers = {}
    for pair in _setting(signal, "HEADERS").split(","):
        name, found, value = pair.partition("=")
        if found and name.strip():
            headers[unquote(name.strip())] = unquote(value.strip())
    return headers


def _timeout(signal):
    """Reads seconds, as Python's exporters do, and milliseconds, as the specification says: none waits 100 s."""
    try:
        value = float(_setting(signal, "TIMEOUT") or 5)
    except ValueError:
        return 5
    return value if value < 100 else value / 1000
