"""The requests to Deck, and what its refusals mean (facts: nextcloud, sections 1.10, 2 and 6).

A card id alone addresses a card: board and stack in a card's URL are not checked when it is read, but a PUT moves
the card to the stack of its URL, so the current one is always sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError
from requests import Response

from connectors.errors import Forbidden, NotACollection, NotFound, PlatformError, RateLimited, Rejected, Transient
from connectors.http import Http, moment, retry_after
from connectors.nextcloud_deck.shapes import Board, Card, Label, Stack

HEADERS = {"OCS-APIRequest": "true", "Accept": "application/json"}
"""Not every route asks for the first; those that do answer 412 without it (facts: nextcloud, section 6)."""

_API = "/index.php/apps/deck/api/v1.1"
_MAKE = "/index.php/apps/deck/cards"
_ANY_STACK = 1  # what a URL says before the card's own stack is known
_LOCKOUT = 1800.0  # seconds; Nextcloud's brute-force protection never says how long (facts: nextcloud, section 6)
_SEEN = frozenset({400, 403, 429, 500})
_CARD = re.compile(r"/cards/(\d+)")
_WORDS = {"GET": "read", "POST": "make things", "PUT": "change things", "DELETE": "delete things"}
_MUTE = "without a reason"
_Shape = TypeVar("_Shape")


class Deleted(NotFound):
    """The card is in the board's trash: proven, not inferred."""


@dataclass(frozen=True)
class Boards:
    """Every board of our account, deleted ones too, with the ETag of the list and the server's time."""

    boards: tuple[Board, ...]
    tag: str | None
    date: float | None

    def living(self, board_id: str) -> Board | None:
        """A board that is there and not in the trash."""
        return next((one for one in self.boards if str(one.id) == board_id and not one.deleted_at), None)


def root_of(url: str) -> str:
    """Where Nextcloud itself is: people copy the address of a board as well as that of the server."""
    parts = urlsplit(url)
    path = parts.path
    for inner in ("/index.php", "/apps/", "/ocs/", "/remote.php"):
        path = path.partition(inner)[0]
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


class Wire:
    """Deck's REST interface at one Nextcloud."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self.root = root_of(http.base)
        self.instance = http.host + urlsplit(self.root).path

    # ---- reading ---------------------------------------------------------------------------------------------

    def account(self) -> str | None:
        """Our account's id, which is not what people sign in with where that is a mail address; None if unknown."""
        answer = self.http.request(
            "GET",
            self.root + "/ocs/v2.php/cloud/user",
            params={"format": "json"},
            accept=(400, 403, 404, 405, 412, 500),
        )
        try:
            return str(answer.json()["ocs"]["data"]["id"]) if answer.status_code == 200 else None
        except (ValueError, LookupError, TypeError):
            return None

    def boards(self, tag: str | None = None) -> Boards | None:
        """All boards with labels and stacks in one request, or None if nothing changed since ``tag``."""
        headers = {"If-None-Match": tag} if tag else {}
        answer = self._send("GET", "/boards", params={"details": "true"}, headers=headers, accept=(404, 405))
        if answer.status_code in (404, 405):
            raise NotACollection(
                f"There is no Deck at {self.root}: is {self.http.name}_URL right, and is the Deck app switched on?"
            )
        if answer.status_code == 304:
            return None
        boards = self._read(answer, TypeAdapter(list[Board]))
        return Boards(tuple(boards), answer.headers.get("ETag"), moment(answer.headers.get("Date")))

    def listed(self, board: int, *, archived: bool = False) -> list[object]:
        """The cards of all living stacks of a board, unread: one that cannot be read must not hide the others."""
        answer = self._send("GET", f"/boards/{board}/stacks" + ("/archived" if archived else ""))
        return [card for stack in self._read(answer, TypeAdapter(list[Stack])) for card in stack.cards or ()]

    def card(self, card_id: str) -> object:
        """One card by its id. Raises Deleted when it is in the trash, NotFound when it is gone or not shown to us."""
        if not card_id.isdecimal():
            raise NotFound(f"{card_id!r} is no card id.")
        answer = self._send("GET", f"/boards/{_ANY_STACK}/stacks/{_ANY_STACK}/cards/{card_id}")
        return self.http.json(answer)

    # ---- writing ---------------------------------------------------------------------------------------------

    def make_card(self, board: Board, stack: int, body: Mapping[str, object]) -> object:
        """Make a card; after any error but a bad title it may be there all the same (section 1.1).

        Deck 1.16 makes a card and then loses its id when it comes with labels: 400 "cardId must be provided"
        (measured on Nextcloud 32). The route of the web client is the same there without that fault, so it is
        taken before 1.18.
        """
        if board.since_1_18:
            return self.http.json(self._send("POST", f"/boards/{board.id}/stacks/{stack}/cards", body))
        return self.http.json(self._send("POST", _MAKE, {**body, "stackId": stack}, api=""))

    def put_card(self, board: int, card: Card, body: Mapping[str, object]) -> None:
        """Replace a card. The answer is not looked at: it lies about dates (section 1.6)."""
        self._send("PUT", self._of(board, card), body)

    def act(self, board: int, card: Card, verb: str, **body: object) -> None:
        """One of archive, unarchive, assignLabel, removeLabel."""
        self._send("PUT", f"{self._of(board, card)}/{verb}", body)

    def delete_card(self, board: int, card: Card) -> None:
        """Put a card into the board's trash."""
        self._send("DELETE", self._of(board, card))

    def make_label(self, board: int, title: str, color: str) -> Label:
        """Make a label. A title that exists is refused."""
        answer = self._send("POST", f"/boards/{board}/labels", {"title": title, "color": color})
        return self._read(answer, TypeAdapter(Label))

    def rename_label(self, board: int, label: Label, title: str) -> None:
        """Give a label another title. Its color has to be sent again; no card is touched (section 2)."""
        self._send("PUT", f"/boards/{board}/labels/{label.id}", {"title": title, "color": label.color or ""})

    @staticmethod
    def _of(board: int, card: Card) -> str:
        return f"/boards/{board}/stacks/{card.stack_id}/cards/{card.id}"

    # ---- answers ---------------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
        api: str = _API,
    ) -> Response:
        answer = self.http.request(
            method,
            self.root + api + path,
            json=body,
            params=params,
            headers=headers,
            accept=_SEEN.union(accept),
        )
        if answer.status_code in _SEEN:
            raise self._refusal(answer, method, path)
        return answer

    def _refusal(self, answer: Response, method: str, path: str) -> PlatformError:
        """What Deck means by 400, 403, 429 and 500."""
        said, status = self._said(answer), answer.status_code
        if status == 429:
            return RateLimited(
                f"{self.http.host} lets nobody from our address in for up to half an hour, after failed sign-ins.",
                retry_after=retry_after(answer) or _LOCKOUT,
            )
        card = _CARD.search(path)
        if status == 403 and card and said == "Card is deleted":
            return Deleted(f"Card {card[1]} is in the trash of its board.")
        if status == 403 and card and method == "GET":
            return NotFound(f"{self.http.host} shows us no card {card[1]}.")
        if status == 403:
            act = _WORDS[method]
            return Forbidden(f"{self.http.host} forbids our account to {act} on this board ({said or _MUTE}).")
        making = method == "POST" and path.endswith("/cards")
        if status == 400:
            # A title is looked at before anything is made; what comes later may have made a card (section 1.1).
            clean = not making or said.startswith("title ")
            return Rejected(f"{self.http.host} refuses this: {said or _MUTE}.", clean=clean)
        if said.startswith("Operation not allowed"):
            return Rejected(f"{self.http.host} refuses this: {said}.", clean=not making)
        return Transient(f"{self.http.host} answered 500 to {method}: {said or _MUTE}.")

    def _said(self, answer: Response) -> str:
        """The reason that a refusal gives, "" where its body is empty or a web page."""
        try:
            message = json.loads(answer.content)["message"]
        except (ValueError, LookupError, TypeError):
            return ""
        return self.http.redact(" ".join(str(message).split()))[:300].rstrip(".")

    def _read(self, answer: Response, shape: TypeAdapter[_Shape]) -> _Shape:
        """An answer as a shape, or Transient where it is something else."""
        value = self.http.json(answer)
        try:
            return shape.validate_python(value)
        except ValidationError:
            raise self.http.unreadable(answer, "an answer of Deck") from None
