"""The files of one Nextcloud account on loopback, doing what was measured on Nextcloud 32.0.1 with curl.

Measured there: a PUT answers 201 or 204 with the new ETag (drawn anew for every save), ``OC-ETag`` and ``OC-FileId``; a
stale If-Match, also on a file that is not there, and If-None-Match: * on one that is, answer 412; GET with the ETag
answers 304; oc:id and oc:fileid stay when a file is moved, and so does its ETag; SEARCH finds a file by oc:fileid; a
rejected password answers 401 with XML. Taken from the papers of its app files_lock: a lock of somebody else's answers
423 to a PUT. Restoring a version sets the time of the file back. It shares no code with the connector.
"""

from __future__ import annotations

import base64
import itertools
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import quote, unquote, urlsplit

USER, PASSWORD = "anna", "geheim-ä-42"
ROOT = f"/remote.php/dav/files/{USER}/"


@dataclass
class File:
    """One file; ``rights`` are oc:permissions as shares have them: W lets us write."""

    number: int
    content: bytes
    etag: str
    saved: float
    rights: str = "RGDNVW"
    locked: bool = False


@dataclass
class Cloud:
    """A running server. ``before`` holds what people do just before the next request of a method."""

    files: dict[str, File] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    before: dict[str, list[Callable[[], object]]] = field(default_factory=dict)
    lose: int = 0
    """PUTs that are carried out and not answered."""
    weak: bool = False
    """Tags are weak for a second after a save, and no If-Match fits them, as on Apache."""
    plain: bool = False
    """No word of Nextcloud's own, and PUT is answered without an ETag."""
    answers: list[tuple[int, str, bytes]] = field(default_factory=list)
    """What the next requests are answered with instead: status, type and body."""
    ahead: float = 0.0

    def __post_init__(self) -> None:
        self._tags = (f"{number:032x}" for number in itertools.count(1))
        self._numbers = itertools.count(164)
        self.lock = threading.RLock()
        handler = type("Bound", (_Handler,), {"cloud": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, name: str) -> str:
        """The address of a file."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{ROOT}{quote(name)}"

    def now(self) -> float:
        """The server's clock."""
        return time.time() + self.ahead

    # ---- what people do ----------------------------------------------------------------------------------------

    def save(self, name: str, content: bytes, ago: float = 0.0) -> File:
        """Somebody saves a file."""
        with self.lock:
            old = self.files.get(name)
            tag, saved = next(self._tags), float(int(self.now() - ago))
            if old is None:
                self.files[name] = File(next(self._numbers), content, tag, saved)
            else:
                old.content, old.etag, old.saved = content, tag, saved
            return self.files[name]

    def move(self, name: str, to: str) -> None:
        """Somebody renames a file."""
        with self.lock:
            self.files[to] = self.files.pop(name)

    def wait_for(self, method: str, act: Callable[[], object]) -> None:
        """Somebody acts just before the next request of a method."""
        self.before.setdefault(method, []).append(act)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        waiting = self.cloud.before.get(self.command)
        if waiting:
            waiting.pop(0)()
        with self.cloud.lock:
            self.cloud.seen.append(self.command)
            self._answer(body)

    do_GET = do_HEAD = do_PUT = do_PROPFIND = do_SEARCH = _handle

    def _answer(self, body: bytes) -> None:
        cloud = self.cloud
        if cloud.answers:
            status, kind, content = cloud.answers.pop(0)
            return self._send(status, content, {"Content-Type": kind})
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {pair}":
            return self._send(401, _said("NotAuthenticated", "No public access to this resource."))
        path = unquote(urlsplit(self.path).path)
        file = cloud.files.get(path.removeprefix(ROOT))
        if self.command == "SEARCH":
            return self._search(body.decode())
        if self.command == "PUT":
            return self._put(path.removeprefix(ROOT), file, body)
        if self.command == "PROPFIND" and path == ROOT:
            here = [one for one in cloud.files.items() if "/" not in one[0]]
            return self._send(207, _multistatus(here, plain=cloud.plain))
        if file is None:
            return self._send(404, _said("NotFound", f"File with name {path} could not be located"))
        if self.command == "PROPFIND":
            return self._send(207, _multistatus([(path.removeprefix(ROOT), file)], plain=cloud.plain))
        head = self._head(file) | {"Last-Modified": formatdate(file.saved, usegmt=True)}
        if self.headers.get("If-None-Match", "").removeprefix("W/") == f'"{file.etag}"':
            return self._send(304, b"", head)
        return self._send(200, file.content, head | {"Content-Type": "application/octet-stream"})

    def _put(self, name: str, file: File | None, body: bytes) -> None:
        cloud = self.cloud
        wanted, none = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        fits = file is not None and wanted == self._head(file)["ETag"]
        if (wanted and not fits) or (none == "*" and file is not None):
            return self._send(412, _said("PreconditionFailed", "An If-Match header was specified, but none matched."))
        if file is not None and file.locked:
            return self._send(423, _said("FileLocked", f'"{name}" is locked'))
        if file is not None and "W" not in file.rights:
            return self._send(403, _said("Forbidden", ""))
        made = cloud.save(name, body)
        if cloud.lose:
            cloud.lose -= 1
            self.close_connection = True
            return None
        return self._send(204 if file else 201, b"", {} if cloud.plain else self._head(made))

    def _search(self, body: str) -> None:
        found = re.search(r"<d:literal>(\d+)</d:literal>", body)
        hits = [one for one in self.cloud.files.items() if found and str(one[1].number) == found[1]]
        self._send(501 if self.cloud.plain else 207, _multistatus(hits, plain=False))

    def _head(self, file: File) -> dict[str, str]:
        young = self.cloud.weak and self.cloud.now() - file.saved < 1.0
        tag = f'W/"{file.etag}"' if young else f'"{file.etag}"'
        return {"ETag": tag} if self.cloud.plain else {"ETag": tag, "OC-ETag": tag, "OC-FileId": _id(file)}

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.cloud.now(), usegmt=True))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(content)


def _id(file: File) -> str:
    return f"{file.number:08d}ocskl91wi3na"


def _said(what: str, words: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">'
        f"<s:exception>Sabre\\DAV\\Exception\\{what}</s:exception><s:message>{words}</s:message></d:error>"
    ).encode()


def _multistatus(files: list[tuple[str, File]], *, plain: bool) -> bytes:
    shown = "".join(
        f"<d:response><d:href>{ROOT}{quote(name)}</d:href><d:propstat><d:prop>"
        f"<d:getetag>&quot;{file.etag}&quot;</d:getetag><d:resourcetype/>"
        + ("" if plain else f"<oc:fileid>{file.number}</oc:fileid><oc:id>{_id(file)}</oc:id>")
        + ("" if plain else f"<oc:permissions>{file.rights}</oc:permissions>")
        + "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        for name, file in files
    )
    return (
        f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">{shown}</d:multistatus>'
    ).encode()
