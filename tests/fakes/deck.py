"""A Deck server on loopback that does what was measured on Nextcloud 34.0.1 with Deck 1.18.3, oddities included.

"F 1.2" in a comment is section 1.2 of facts/nextcloud.md. What boards and cards do is in `deck_world`, routes and
shapes are in `deck_routes`; this file is the HTTP around it: sign-in, ETags, cookies, the clock, and faults. It
shares no code with the connector.

    with Deck() as deck:
        deck.url, deck.clock.advance(5), deck.world.cards[...], deck.requests
        deck.fail("POST", "/cards$", locked=True, after=True)     # next match: done, yet answered 500
        deck.before("PUT", "/cards/", lambda: ...)                # a person is faster
"""

from __future__ import annotations

import base64
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

from tests.fakes.deck_model import Board, Card, Clock, Json, Refusal
from tests.fakes.deck_routes import Answer, Routes, moment
from tests.fakes.deck_world import World

REST = "/index.php/apps/deck/api/v"
MAKE = "/index.php/apps/deck/cards"
COLUMNS = ("Offen", "In Arbeit", "Erledigt")
LOCKED = {"status": 500, "message": 'Internal server error: An exception occurred: "database is locked"'}
"""The locked SQLite of the facts' preamble. Nextcloud 32.0.1 hides the reason: `deck_model.UNNAMED`."""


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
    run: Callable[[], object] | None = None
    """Not a fault at all, but somebody who acts just before this request."""


class Deck:
    """A running server with its accounts; ``prefix`` is a path that Nextcloud lives under."""

    def __init__(self, prefix: str = "", clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.world = World(self.clock)
        self.prefix = prefix
        self.accounts = {"bridge": ("bridge", "app-password"), "anna": ("anna", "annas-password")}
        """Sign-in name to (account id, password): the two differ where people sign in by mail address."""
        self.requests: list[str] = []
        """Every request as "METHOD /path" below the API's root."""
        self.statuses: list[int] = []
        self.cookies: list[str] = []
        self.bodies: list[tuple[str, Json]] = []
        self.failures = 0
        self.greeted: set[str] = {"bridge", "anna"}
        """Accounts that have their welcome board (F 1.9); take one out to see it made."""
        self._faults: list[Fault] = []
        self.lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"deck": self})
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
        """Where Nextcloud is, as a person writes it into the settings."""
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    # ---- what a test makes happen ----------------------------------------------------------------------------

    def board(
        self, title: str = "Digitale Strategie", stacks: tuple[str, ...] = ("Offen", "In Arbeit", "Erledigt")
    ) -> Board:
        """A board of Anna's, shared with the bridge's account, who may edit and manage it."""
        board = self.world.add_board("anna", title)
        board.acl["bridge"] = frozenset({"edit", "manage"})
        for order, name in enumerate(stacks):
            self.world.add_stack("anna", board.id, name, order)
        return board

    def stack(self, board: Board, title: str) -> int:
        """The id of a stack of this title."""
        return next(one.id for one in self.world.stacks.values() if (one.board, one.title) == (board.id, title))

    def label(self, board: Board, title: str) -> int:
        """The id of a label of this title."""
        return next(one.id for one in self.world.labels.values() if (one.board, one.title) == (board.id, title))

    def add(self, board: Board, title: str, stack: str = "Offen", user: str = "anna", **fields: Json) -> Card:
        """Anna makes a card."""
        return self.world.add_card(user, self.stack(board, stack), {"title": title, **fields})

    def edit(self, card: Card, **fields: Json) -> None:
        """Anna changes a card, by the whole-card PUT of the web client."""
        whole = {
            "title": card.title,
            "type": card.type,
            "owner": card.owner,
            "description": card.description,
            "order": card.order,
            "duedate": moment(card.duedate),
            "startdate": moment(card.startdate),
            "done": moment(card.done),
            "color": card.color,
            "stackId": card.stack,
        }
        self.world.put_card("anna", card.stack, card.id, whole | fields)
        self.world.settle(card)

    def fail(
        self,
        method: str,
        path: str,
        *,
        after: bool = False,
        lost: bool = False,
        status: int = 500,
        body: Json = LOCKED,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Let the next matching request go wrong: ``lost`` closes the connection, else this status and body.

        The default is the locked SQLite of the facts' preamble; ``after`` does what was asked and fails then.
        """
        self._faults.append(Fault(method, re.compile(path), after, lost, status, body, headers or {}))

    def before(self, method: str, path: str, run: Callable[[], object]) -> None:
        """Let somebody act just before the next matching request is looked at."""
        self._faults.append(Fault(method, re.compile(path), run=run))

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Take the first fault that fits."""
        for fault in self._faults:
            if fault.method == method and fault.path.search(path):
                self._faults.remove(fault)
                return fault
        return None

    # ---- sign-in ---------------------------------------------------------------------------------------------

    def sign_in(self, header: str | None) -> str:
        """The account behind a Basic header. F 6: eleven wrong passwords, and even the right one is 429."""
        if self.failures >= 11:
            raise _Bare(429, {"message": "Reached maximum delay"})  # F 6: without Retry-After
        if header is None or not header.startswith("Basic "):
            raise _Bare(401, {"message": "Current user is not logged in"})
        name, _, password = base64.b64decode(header[6:]).decode().partition(":")
        user, expected = self.accounts.get(name, ("", ""))
        if not user or password != expected:
            self.failures += 1
            raise _Bare(401, {"message": ""})
        if user not in self.greeted:  # F 1.9: the first request of an account makes it a board of its own
            self.greeted.add(user)
            welcome = self.world.add_board(user, "Welcome to Nextcloud Deck!")
            stack = self.world.add_stack(user, welcome.id, "Read more inside", 1)
            self.world.add_card(user, stack.id, {"title": "1. Open to learn more about boards and cards"})
        return user


class _Bare(Exception):
    """An answer that does not have the shape of Deck's own refusals."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status)
        self.answer = Answer(status, body)


# ---- HTTP ----------------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    deck: Deck
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Apache", ""
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the tests look at ``Deck.requests``."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """F 4: every answer carries Date; here it is the test's clock that says it."""
        moment = datetime.fromtimestamp(int(self.deck.clock.now if timestamp is None else timestamp), UTC)
        return format_datetime(moment, usegmt=True)

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        deck = self.deck
        fault = deck.fault_for(self.command, self.path)
        if fault and fault.run:
            fault.run()
            fault = deck.fault_for(self.command, self.path)
        if fault and not fault.after:
            answer = Answer(fault.status, fault.body, headers=fault.headers)
            deck.requests.append(f"{self.command} {self._short()}")
        else:
            with deck.lock:
                answer = self._answer(raw)
        if fault and fault.after:
            answer = Answer(fault.status, fault.body, headers=fault.headers)
        if fault and fault.lost:
            self.close_connection = True  # the answer gets lost on the way
            return
        self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _handle

    def _short(self) -> str:
        return re.sub(r"^.*?/api/v[\d.]+", "", self.path)

    def _answer(self, raw: bytes) -> Answer:
        deck, url = self.deck, urlsplit(self.path)
        deck.requests.append(f"{self.command} {self._short()}")
        deck.cookies += self.headers.get_all("Cookie") or []
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not url.path.startswith(deck.prefix):
            return Answer(404, "<html>Not Found</html>")
        path = url.path.removeprefix(deck.prefix)
        try:
            if path.startswith("/ocs/v2.php/"):
                return self._ocs(path, headers, raw)
            if not path.startswith((REST, MAKE)):  # F 1: /apps/... without index.php is 404 here
                return Answer(404, "<html>Not Found</html>")
            user = deck.sign_in(headers.get("authorization"))
            body = self._body(raw)
            if raw:
                deck.bodies.append((f"{self.command} {self._short()}", body))
            routes = Routes(deck.world, user, body, headers, parse_qs(url.query))
            short = path if path == MAKE else re.sub(r"^[^/]*", "", path.removeprefix(REST))
            answer = routes.answer(self.command, short)
        except json.JSONDecodeError:
            return Answer(400)  # F 1.10: bad JSON, empty body
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)
        except _Bare as bare:
            return bare.answer
        if answer.tag and headers.get("if-none-match") == f'"{answer.tag}"':  # F 2: quoted, exactly as received
            return Answer(304, tag=answer.tag)
        return answer

    def _body(self, raw: bytes) -> Json:
        """What was sent. Deck 1.16 takes bad JSON for nothing (seen on Nextcloud 32.0.1, Deck 1.16.7)."""
        try:
            return json.loads(raw) if raw else None
        except json.JSONDecodeError:
            if self.deck.world.release >= (1, 18):
                raise
            return None

    def _ocs(self, path: str, headers: dict[str, str], raw: bytes) -> Answer:
        """Who am I (the server's documentation; not in the facts), and comments (F 5)."""
        if headers.get("ocs-apirequest") != "true":
            return Answer(412, {"message": "CSRF check failed"})  # F 6
        user = self.deck.sign_in(headers.get("authorization"))
        data: Json = {"id": user, "email": f"{user}@example.org"}
        comments = re.fullmatch(r"/ocs/v2.php/apps/deck/api/v1.0/cards/(\d+)/comments", path)
        if comments:
            text = str(json.loads(raw)["message"])
            self.deck.world.comment(user, int(comments[1]), text)
            data = {"id": 1, "objectId": int(comments[1]), "message": text, "actorId": user, "actorType": "users"}
        elif path != "/ocs/v2.php/cloud/user":
            return Answer(404, {"ocs": {"meta": {"status": "failure", "statuscode": 404}, "data": []}})
        return Answer(200, {"ocs": {"meta": {"status": "ok", "statuscode": 200, "message": "OK"}, "data": data}})

    def _send(self, answer: Answer) -> None:
        # F 1.5: JSON answers escape "/" and everything that is not ASCII
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body).replace("/", "\\/")
        body = b"" if answer.body is None else text.encode()
        self.deck.statuses.append(answer.status)
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/html" if text.startswith("<") else "application/json")
        if answer.tag:
            self.send_header("ETag", f'"{answer.tag}"')
        for name in ("oc_sessionPassphrase", "nc_session_id", "nc_username", "nc_token"):  # F 6
            self.send_header("Set-Cookie", f"{name}=x; path=/; HttpOnly")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 304:
            self.wfile.write(body)
