"""An OpenProject server on loopback that does what its documentation and source say, oddities included.

"B" in a comment is section B of facts/platform-apis.md; "(source)" was read in OpenProject's own code, "(docs)" in its
documentation. It was never held against a live server. What work packages do is in `openproject_world`, routes and
shapes are in `openproject_routes`, texts in `openproject_text`; this file is the HTTP around it: sign-in, content
types, the clock, and faults. It shares no code with the connector.

    with OpenProject() as server:
        server.url, server.clock.advance(5), server.world.work_packages[...], server.requests
        server.fail("POST", "/work_packages", status=502, after=True)     # next match: done, yet answered 502
        server.before("PATCH", "/work_packages/", lambda: ...)            # a person is faster
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.fakes.openproject_model import API, MEMBER, Clock, Json, Project, Refusal, User, WorkPackage
from tests.fakes.openproject_routes import Answer, Routes
from tests.fakes.openproject_world import World

IDENTIFIER = "digitale-strategie"


@dataclass
class Fault:
    """What goes wrong with the next request that matches. ``after``: the server acts first."""

    method: str
    path: re.Pattern[str]
    after: bool = False
    lost: bool = False
    status: int = 500
    body: Json = None
    headers: tuple[tuple[str, str], ...] = ()
    skip: int = 0
    """How many matching requests go well before."""
    run: Callable[[], object] | None = None
    """Not a fault at all, but somebody who acts just before this request."""


class OpenProject:
    """A running server. ``prefix`` is a path that OpenProject lives under."""

    def __init__(self, language: str = "en", prefix: str = "", clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.world = World(self.clock, language)
        self.prefix = prefix
        self.bridge = self.world.add_user("strategie-bot", admin=True)
        self.anna = self.world.add_user("anna")
        self.berta = self.world.add_user("berta")
        self.keys = {"opapi-bridge": self.bridge, "opapi-anna": self.anna, "opapi-berta": self.berta}
        self.requests: list[str] = []
        """Every request as "METHOD /path" below the interface's root."""
        self.bodies: list[tuple[str, Json]] = []
        self.cap = 1000
        """B: the largest page, as the administrator set it."""
        self.old = False
        self._faults: list[Fault] = []
        self.lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where OpenProject is, as a person writes it into the settings."""
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    # ---- what a test makes happen ----------------------------------------------------------------------------

    def project(self, identifier: str = IDENTIFIER, parent: int | None = None) -> Project:
        """A project in which Anna and the bridge's account may do everything."""
        made = self.world.add_project(identifier, identifier.replace("-", " ").title(), parent)
        made.members = {self.anna.id: MEMBER, self.bridge.id: MEMBER}
        return made

    def add(self, project: Project, title: str, type: int = 1, **body: Json) -> WorkPackage:
        """Anna makes a work package."""
        links = {"type": {"href": f"{API}/types/{type}"}, **body.pop("_links", {})}
        return self.world.make(self.anna.id, {"subject": title, "_links": links, **body}, project)

    def edit(self, found: WorkPackage, **body: Json) -> None:
        """Anna changes a work package."""
        self.world.patch(self.anna.id, found.id, {"lockVersion": found.lock_version, **body})

    def set(self, found: WorkPackage, **links: int | None) -> None:
        """Anna lets a work package refer to something else."""
        where = {"parent": "work_packages", "status": "statuses", "priority": "priorities", "version": "versions"}
        hrefs = {name: {"href": f"{API}/{where[name]}/{id}" if id else None} for name, id in links.items()}
        self.edit(found, _links=hrefs)

    def remove(self, found: WorkPackage) -> None:
        """Anna deletes a work package for good."""
        self.world.delete(self.anna.id, found.id)

    def fail(
        self,
        method: str,
        path: str,
        *,
        status: int = 500,
        after: bool = False,
        lost: bool = False,
        body: Json = None,
        headers: tuple[tuple[str, str], ...] = (),
        skip: int = 0,
    ) -> None:
        """Let the next matching request go wrong: ``lost`` closes the connection, else this status and body."""
        said = {"_type": "Error", "message": f"{status} went wrong"} if body is None else body
        self._faults.append(Fault(method, re.compile(path), after, lost, status, said, headers, skip))

    def before(self, method: str, path: str, run: Callable[[], object]) -> None:
        """Let somebody act just before the next matching request is looked at."""
        self._faults.append(Fault(method, re.compile(path), run=run))

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Take the first fault that fits."""
        for fault in self._faults:
            if fault.method == method and fault.path.search(path):
                if fault.skip == 0:
                    self._faults.remove(fault)
                    return fault
                fault.skip -= 1
        return None

    def sign_in(self, header: str) -> User:
        """B: Basic with the name `apikey`; whoever signs in with anything else is refused."""
        scheme, _, said = header.partition(" ")
        try:
            name, _, key = base64.b64decode(said).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name, key = "", ""
        if scheme != "Basic" or name != "apikey" or key not in self.keys:
            raise Refusal(401, "Unauthenticated", "You did not provide the correct credentials.")
        return self.keys[key]


# ---- HTTP ----------------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    server_of: OpenProject
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "nginx", ""
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the tests look at ``OpenProject.requests``."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The test's clock says the Date of every answer."""
        now = self.server_of.clock.now if timestamp is None else timestamp
        return format_datetime(datetime.fromtimestamp(int(now), UTC), usegmt=True)

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = self.server_of
        fault = server.fault_for(self.command, self.path)
        while fault and fault.run:
            fault.run()
            fault = server.fault_for(self.command, self.path)
        if fault and not fault.after:
            answer = Answer(fault.status, fault.body)
            server.requests.append(f"{self.command} {self._short()}")
        else:
            with server.lock:
                answer = self._answer(raw)
        if fault and fault.after:
            answer = Answer(fault.status, fault.body)
        if fault and fault.lost:
            self.close_connection = True  # the answer gets lost on the way
            return
        self._send(answer, fault.headers if fault else ())

    do_GET = do_POST = do_PATCH = do_DELETE = _handle

    def _short(self) -> str:
        return self.path.partition(API)[2] or self.path

    def _answer(self, raw: bytes) -> Answer:
        server, url = self.server_of, urlsplit(self.path)
        server.requests.append(f"{self.command} {self._short()}")
        root = server.prefix + API
        if not url.path.startswith(root + "/"):
            return Answer(
                404, "<html><title>[Error 404] The page you were trying to access doesn't exist</title></html>"
            )
        try:
            user = server.sign_in(self.headers.get("Authorization", ""))
            if self.command != "GET" and not self.headers.get("Content-Type"):  # B: 406
                raise Refusal(406, "TypeNotSupported", "Missing content-type header.")
            if raw and not self.headers["Content-Type"].startswith("application/json"):  # B: 415
                raise Refusal(415, "TypeNotSupported", "Expected CONTENT-TYPE to be 'application/json; charset=utf-8'.")
            body = json.loads(raw) if raw else None
            if raw:
                server.bodies.append((f"{self.command} {self._short()}", body))
            query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
            routes = Routes(server.world, user, query, body, cap=server.cap, old=server.old)
            return routes.answer(self.command, url.path.removeprefix(root))
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)

    def _send(self, answer: Answer, headers: tuple[tuple[str, str], ...]) -> None:
        page = isinstance(answer.body, str)
        body = b"" if answer.body is None else (answer.body if page else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/html; charset=utf-8" if page else "application/hal+json; charset=utf-8")
        for name, value in headers:
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(body)
