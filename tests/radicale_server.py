"""A real Radicale on loopback, for tests: htpasswd sign-in, a temporary folder, a free port.

Raw requests go through `Radicale.request`; the rest are the few words that tests need to act as people do, behind
the bridge's back. The server is a process of its own: what passes here passes over real HTTP.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from xml.sax.saxutils import escape

import requests

USER = "anna"
PASSWORD = "geheim-ä-42"

_CONFIG = """
[server]
hosts = 127.0.0.1:{port}
max_connections = 64
[encoding]
request = utf-8
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/data
{storage}
[logging]
level = {level}
"""

# Calendars of Anna's whose name begins with "leserecht" can be read and not written; MKCALENDAR needs more than
# that, so such a calendar is made under another name and moved on disk.
_RIGHTS = """
[root]
user: .+
collection:
permissions: R
[read-only]
user: .+
collection: [^/]+/leserecht[^/]*
permissions: r
[principal]
user: .+
collection: {user}
permissions: RW
[calendars]
user: .+
collection: {user}/[^/]+
permissions: rw
"""

_MKCALENDAR = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
<D:displayname>{title}</D:displayname>{components}</D:prop></D:set></C:mkcalendar>"""


class Radicale:
    """One running server. Use it as a context manager."""

    def __init__(self, level: str = "critical", storage: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="radicale-"))
        self.user, self.password = USER, PASSWORD
        self._level, self._storage = level, storage
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's root, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, on the port of last time if there was one, and wait until it answers."""
        (self.folder / "users").write_text(f"{USER}:{PASSWORD}\nberta:anderes\n", encoding="utf-8")
        (self.folder / "rights").write_text(_RIGHTS, encoding="utf-8")
        for _ in range(5):
            port = self.port or _free_port()
            text = _CONFIG.format(port=port, folder=self.folder, level=self._level, storage=self._storage)
            (self.folder / "config").write_text(text, encoding="utf-8")
            with (self.folder / "log").open("ab") as log:
                command = [sys.executable, "-m", "radicale", "--config", str(self.folder / "config")]
                self._process = subprocess.Popen(command, stdout=log, stderr=log)
            if self._answers(port):
                self.port = port
                return
            self.stop()
        raise RuntimeError("Radicale did not start:\n" + self.log())

    def stop(self) -> None:
        """End the process; the folder stays, so that `start` goes on where it was."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def log(self) -> str:
        """What the server wrote."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Radicale:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._session.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self, port: int) -> bool:
        """Whether the process answers on ``port`` before it ends or half a minute is over."""
        assert self._process is not None
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                answer = self._session.get(f"http://127.0.0.1:{port}/{USER}/", timeout=5, allow_redirects=False)
            except requests.ConnectionError:
                time.sleep(0.05)
                continue
            return answer.status_code != 401  # someone else's server took the port between our look and the start
        return False

    # ---- what people do ---------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: str | bytes = b"", headers: dict[str, str] | None = None
    ) -> requests.Response:
        """Send one request as Anna and return whatever comes."""
        data = body.encode() if isinstance(body, str) else body
        return self._session.request(method, self.url + path, data=data, headers=headers or {}, timeout=30)

    def calendar(self, name: str, title: str = "", components: Sequence[str] | None = ("VTODO",)) -> str:
        """Make a calendar of Anna's and return its path. ``components`` None states no component set."""
        path = f"/{USER}/{name}/"
        stated = ""
        if components is not None:
            names = "".join(f'<C:comp name="{each}"/>' for each in components)
            stated = f"<C:supported-calendar-component-set>{names}</C:supported-calendar-component-set>"
        _ok(self.request("MKCALENDAR", path, _MKCALENDAR.format(title=escape(title or name), components=stated)))
        return path

    def share_read_only(self, name: str, title: str) -> str:
        """Make a calendar that Anna may only read; ``name`` begins with "leserecht". Returns its path."""
        path = self.calendar(f"vorlage-{name}", title)
        root = self.folder / "data" / "collection-root" / USER
        (root / f"vorlage-{name}").rename(root / name)
        return path.replace("vorlage-", "")

    def put(self, path: str, ics: str | bytes) -> str:
        """Store raw ICS and return its ETag."""
        return _ok(self.request("PUT", path, ics, {"Content-Type": "text/calendar; charset=utf-8"})).headers["ETag"]

    def get(self, path: str) -> str:
        """The raw ICS of one item."""
        return _ok(self.request("GET", path)).content.decode()

    def delete(self, path: str) -> None:
        """Delete an item, or a whole calendar."""
        _ok(self.request("DELETE", path))


def _ok(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        raise RuntimeError(f"{answer.request.method} {answer.request.path_url}: {answer.status_code} {answer.text}")
    return answer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
