"""A proxy on loopback that stands between the bridge and a real server: it counts, is slow, and breaks down.

It forwards HTTP as it comes. ``before`` and ``after`` are seconds to wait before a request reaches the server and
before its answer goes back, so that a process that is killed meets both cases: not done yet, and done without
knowing it. ``down`` breaks every connection without an answer. ``most_at_once`` are the most requests that one address
has seen at a time.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

Trouble = Callable[[str, str], str]
"""Told method and path; answers "" to let pass, "refuse" to break off before, "lose" to break off after."""


class GoBetween:
    """The way to the server on ``port``. Use it as a context manager; ``url`` is its own address."""

    def __init__(self, port: int, *, before: float = 0.0, after: float = 0.0) -> None:
        self.before, self.after = before, after
        self.down = False
        self.trouble: Trouble = lambda method, path: ""
        self.seen: list[tuple[str, str, int]] = []
        self.most_at_once: Counter[str] = Counter()
        self._at_once: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self, port))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> GoBetween:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def note(self, method: str, path: str, status: int) -> None:
        """Remember a request."""
        with self._lock:
            self.seen.append((method, path, status))

    def enters(self, path: str, step: int) -> None:
        """Count the requests to one address that are under way."""
        with self._lock:
            self._at_once[path] += step
            self.most_at_once[path] = max(self.most_at_once[path], self._at_once[path])

    def counted(self) -> Counter[str]:
        """How many requests of each method there were since the last time this was asked."""
        with self._lock:
            found = Counter(method for method, _, _ in self.seen)
            self.seen.clear()
        return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no news."""


def _handler(way: GoBetween, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

        def pass_on(self) -> None:
            way.enters(self.path, 1)
            try:
                self._pass_on()
            finally:
                way.enters(self.path, -1)

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            trouble = "refuse" if way.down else way.trouble(self.command, self.path)
            if trouble == "refuse":
                self._break_off(0)
                return
            time.sleep(way.before)
            server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                server.request(self.command, self.path, body, {**dict(self.headers.items()), "Connection": "close"})
                answer = server.getresponse()
                content = answer.read()
            finally:
                server.close()
            way.note(self.command, self.path, answer.status)
            time.sleep(way.after)
            if trouble == "lose":
                self._break_off(answer.status)
                return
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _break_off(self, status: int) -> None:
            self.close_connection = True
            self.connection.close()
            if not status:
                way.note(self.command, self.path, 0)

    for method in ("GET", "HEAD", "PUT", "DELETE", "PROPFIND", "REPORT", "OPTIONS", "MKCALENDAR"):
        setattr(Handler, f"do_{method}", Handler.pass_on)
    return Handler
