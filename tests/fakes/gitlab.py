"""A GitLab server on loopback that does what its documentation and source say, oddities included.

"A 1" in a comment is section A1 of facts/platform-apis.md; "(source)" was read in GitLab's own code besides. It was
never held against a live server. What issues and milestones do is in `gitlab_world`, routes and shapes are in
`gitlab_routes`, texts in `gitlab_text`; this file is the HTTP around it: sign-in, limits, the clock, and faults. It
shares no code with the connector.

    with GitLab() as gitlab:
        gitlab.url, gitlab.clock.advance(5), gitlab.world.issues[...], gitlab.requests
        gitlab.fail("POST", "/issues$", status=502, after=True)    # next match: done, yet answered 502
        gitlab.before("PUT", "/issues/", lambda: ...)              # a person is faster
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.fakes.gitlab_model import DEVELOPER, OWNER, PLANNER, Clock, Issue, Json, Milestone, Project, Refusal, Token
from tests.fakes.gitlab_routes import Answer, Routes
from tests.fakes.gitlab_world import World

REST = "/api/v4"
PATH = "stadt/digitale-strategie"


@dataclass
class Fault:
    """What goes wrong with the next request that matches. ``after``: the server acts first."""

    method: str
    path: re.Pattern[str]
    after: bool = False
    lost: bool = False
    status: int = 500
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict)
    skip: int = 0
    """How many matching requests go well before."""
    run: Callable[[], object] | None = None
    """Not a fault at all, but somebody who acts just before this request."""


class GitLab:
    """A running server. ``prefix`` is a path that GitLab lives under."""

    def __init__(self, prefix: str = "", clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.world = World(self.clock)
        self.prefix = prefix
        self.public_url = ""
        """Where the server believes itself to be, if that is not where it is asked (its external_url)."""
        self.bridge = self.world.add_user("strategie-bot")
        self.anna = self.world.add_user("anna")
        self.berta = self.world.add_user("berta")
        self.tokens = {
            "glpat-bridge": Token(self.bridge.id),
            "glpat-anna": Token(self.anna.id),
            "glpat-berta": Token(self.berta.id),
            "glpat-reader": Token(self.bridge.id, ("read_api",)),
        }
        self.requests: list[str] = []
        """Every request as "METHOD /path" below the interface's root."""
        self.bodies: list[tuple[str, Json]] = []
        self.allowance: int | None = None
        """A 6: requests a minute and account; off unless an administrator sets it."""
        self._counted: dict[tuple[int, int], int] = {}
        self._faults: list[Fault] = []
        self.lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"gitlab": self})
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
        """Where GitLab is, as a person writes it into the settings."""
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    # ---- what a test makes happen ----------------------------------------------------------------------------

    def project(self, path: str = PATH, visibility: str = "private", group: int | None = None) -> Project:
        """A project of Anna's, of which the bridge's account is a Planner and Berta a Developer."""
        made = self.world.add_project(path, path.rpartition("/")[2].replace("-", " ").title(), group, visibility)
        made.members = {self.anna.id: OWNER, self.berta.id: DEVELOPER, self.bridge.id: PLANNER}
        return made

    def add(self, project: Project, title: str, **params: Json) -> Issue:
        """Anna makes an issue."""
        return self.world.make_issue(self.anna.id, project, {"title": title, **params})

    def edit(self, issue: Issue, **params: Json) -> None:
        """Anna changes an issue."""
        self.world.put_issue(self.anna.id, self.world.projects[issue.project], issue.iid, params)

    def remove(self, issue: Issue) -> None:
        """Anna deletes an issue for good."""
        self.world.delete_issue(self.anna.id, self.world.projects[issue.project], issue.iid, None)

    def add_milestone(self, project: Project, title: str, **params: Json) -> Milestone:
        """Anna makes a milestone."""
        return self.world.make_milestone(self.anna.id, project, {"title": title, **params})

    def labelled(self, issue: Issue) -> set[str]:
        """The names of an issue's labels."""
        return {self.world.labels[one].name for one in issue.labels}

    def fail(
        self,
        method: str,
        path: str,
        *,
        status: int = 500,
        after: bool = False,
        lost: bool = False,
        body: Json = None,
        headers: dict[str, str] | None = None,
        skip: int = 0,
    ) -> None:
        """Let the next matching request go wrong: ``lost`` closes the connection, else this status and body."""
        said = {"message": f"{status} went wrong"} if body is None else body
        self._faults.append(Fault(method, re.compile(path), after, lost, status, said, headers or {}, skip))

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

    # ---- sign-in and limits ----------------------------------------------------------------------------------

    def sign_in(self, headers: Json) -> Token:
        """A 6: the token's own header, or Bearer; a password is none."""
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        token = headers.get("private-token") or (bearer if scheme == "Bearer" else "")
        if token not in self.tokens:
            raise Refusal(401, {"message": "401 Unauthorized"})
        return self.tokens[token]

    def limited(self, token: Token) -> dict[str, str]:
        """A 6: what all answers tell of the limit, and the refusal of who is over it; the reset is an absolute time."""
        if self.allowance is None:
            return {}
        minute = int(self.clock.now // 60)
        key = (token.user, minute)
        self._counted[key] = self._counted.get(key, 0) + 1
        reset = (minute + 1) * 60
        headers = {
            "RateLimit-Limit": str(self.allowance),
            "RateLimit-Observed": str(self._counted[key]),
            "RateLimit-Remaining": str(max(0, self.allowance - self._counted[key])),
            "RateLimit-Reset": str(reset),
            "RateLimit-Name": "throttle_authenticated_api",
        }
        if self._counted[key] > self.allowance:
            raise _Limited(headers | {"Retry-After": str(int(reset - self.clock.now) + 1)})
        return headers


class _Limited(Exception):
    """A 6: too many requests."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(429)
        self.headers = headers


# ---- HTTP ----------------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    gitlab: GitLab
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "nginx", ""
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the tests look at ``GitLab.requests``."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The test's clock says the Date of every answer."""
        moment = datetime.fromtimestamp(int(self.gitlab.clock.now if timestamp is None else timestamp), UTC)
        return format_datetime(moment, usegmt=True)

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        gitlab = self.gitlab
        fault = gitlab.fault_for(self.command, self.path)
        while fault and fault.run:
            fault.run()
            fault = gitlab.fault_for(self.command, self.path)
        if fault and not fault.after:
            answer = Answer(fault.status, fault.body, fault.headers)
            gitlab.requests.append(f"{self.command} {self._short()}")
        else:
            with gitlab.lock:
                answer = self._answer(raw)
        if fault and fault.after:
            answer = Answer(fault.status, fault.body, fault.headers)
        if fault and fault.lost:
            self.close_connection = True  # the answer gets lost on the way
            return
        self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _handle

    def _short(self) -> str:
        return self.path.partition(REST)[2] or self.path

    def _answer(self, raw: bytes) -> Answer:
        gitlab, url = self.gitlab, urlsplit(self.path)
        gitlab.requests.append(f"{self.command} {self._short()}")
        root = gitlab.prefix + REST
        if not url.path.startswith(root + "/"):
            return Answer(404, "<html><title>The page could not be found (404)</title></html>")
        headers = {name.lower(): value for name, value in self.headers.items()}
        told: dict[str, str] = {}
        try:
            token = gitlab.sign_in(headers)
            told = gitlab.limited(token)
            body = json.loads(raw) if raw else None
            if raw:
                gitlab.bodies.append((f"{self.command} {self._short()}", body))
            here = (gitlab.public_url or f"http://{self.headers['Host']}") + url.path
            routes = Routes(gitlab.world, token, here, parse_qs(url.query), body, headers)
            answer = routes.answer(self.command, url.path.removeprefix(root))
        except _Limited as limit:
            return Answer(429, {"message": "429 Too Many Requests"}, limit.headers)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body, told)
        return Answer(answer.status, answer.body, {**answer.headers, **told})

    def _send(self, answer: Answer) -> None:
        page = isinstance(answer.body, str)
        body = b"" if answer.body is None else (answer.body if page else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/html; charset=utf-8" if page else "application/json")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(body)
