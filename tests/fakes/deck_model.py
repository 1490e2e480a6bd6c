"""What a Deck server keeps, and what it refuses with: the words of `deck_world`."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = Any

UNNAMED = (
    "Internal server error: Please contact the server administrator if this error reappears multiple times, please "
    'include the request ID "x" below in your report.'
)
"""What a 500 says that PHP or the database caused. Nextcloud 32.0.1 says no more than this of a locked database."""


class Clock:
    """The server's clock; it stands still unless a test moves it."""

    def __init__(self, now: float = 1_796_000_000.0) -> None:
        self.now = now

    def advance(self, seconds: float) -> None:
        """Let time pass on the server."""
        self.now += seconds

    def seconds(self) -> int:
        """F 4: one second is the grain of every stamp."""
        return int(self.now)


class WallClock(Clock):
    """The clock of this machine, for tests in which real servers take part as well."""

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    @now.setter
    def now(self, _: float) -> None:
        """Nobody sets this clock."""


class Refusal(Exception):
    """An answer other than 200. ``message`` None is the empty body of F 1.10."""

    def __init__(self, status: int, message: str | None) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message

    @property
    def body(self) -> Json:
        """The JSON body, or None for an empty one."""
        return None if self.message is None else {"status": self.status, "message": self.message}


def denied() -> Refusal:
    """F 1.10: unknown, unreadable, no right: always 403, never 404."""
    return Refusal(403, "Permission denied")


def not_allowed(why: str) -> Refusal:
    """F 1.10: a state that forbids the action is a 500, and permanent."""
    return Refusal(500, f"Operation not allowed. {why}")


def type_error() -> Refusal:
    """F 1.10: PHP type errors and bad dates are a 500 as well. The words were seen on Nextcloud 32.0.1, Deck 1.16.7."""
    return Refusal(500, UNNAMED)


@dataclass
class Board:
    """One board. ``acl`` maps other accounts to their rights: "edit", "manage"."""

    id: int
    title: str
    owner: str
    last_modified: int
    archived: bool = False
    deleted_at: int = 0
    acl: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass
class Stack:
    """One column of a board."""

    id: int
    board: int
    title: str
    order: int
    last_modified: int
    deleted_at: int = 0
    done_column: bool = False


@dataclass
class Label:
    """One label of a board."""

    id: int
    board: int
    title: str
    color: str


@dataclass
class Card:
    """One card; ``labels`` may hold doubles (F 1.7)."""

    id: int
    stack: int
    title: str
    owner: str
    created_at: int
    last_modified: int
    type: str = "plain"
    description: str = ""
    order: int = 999
    duedate: datetime | None = None
    startdate: datetime | None = None
    done: datetime | None = None
    color: str | None = None
    archived: bool = False
    deleted_at: int = 0
    last_editor: str | None = None
    labels: list[int] = field(default_factory=list)
    assigned: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def etag(last_modified: int | str) -> str:
    """F 2: md5 of whole seconds, so that two changes within one second have the same ETag."""
    return hashlib.md5(str(last_modified).encode()).hexdigest()


def titled(title: str, limit: int) -> None:
    """F 1.5: blank and overlong titles; nothing is trimmed."""
    if not title.strip():
        raise Refusal(400, "title must be provided and must be not empty")
    if len(title) > limit:
        raise Refusal(400, f"title cannot be longer than {limit} characters ")


def as_number(value: Json) -> int:
    """F 1.2: what is no number is 0."""
    return value if isinstance(value, int) else 0


def colored(color: Json) -> None:
    """F 1.2: at most six characters, hexadecimal, no "#". The words were seen on Nextcloud 32.0.1, Deck 1.16.7."""
    if not color:
        raise Refusal(400, "color must be provided and must be not empty")
    if len(color) > 6:
        raise Refusal(400, "color cannot be longer than 6 characters ")
    if not all(one in "0123456789abcdefABCDEF" for one in color):
        raise Refusal(400, "color must be a hexadecimal value")


def as_moment(value: Json, now: datetime, *, empty_is_now: bool = False) -> datetime | None:
    """F 1.6: what PHP makes of a date. The offset stays on the answer and is dropped in the store."""
    if value is None or (value == "" and not empty_is_now):
        return None
    if value == "":
        return now
    if not isinstance(value, str):
        raise type_error()
    try:
        moment = datetime.fromisoformat(value).replace(microsecond=0)
    except ValueError:
        raise type_error() from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_done(value: Json, now: datetime) -> datetime | None:
    """F 1.2: a moment or null; false and '' mean NOW, true and numbers are a type error."""
    return now if value is False or value == "" else as_moment(value, now)
