"""What a GitLab server keeps, and what it refuses with: the words of `gitlab_world`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = Any

GUEST, PLANNER, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 15, 20, 30, 40, 50


class Clock:
    """The server's clock; it stands still unless a test moves it."""

    def __init__(self, now: float = 1_796_000_000.123456) -> None:
        self.now = now

    def advance(self, seconds: float) -> None:
        """Let time pass on the server."""
        self.now += seconds

    def moment(self) -> datetime:
        """A 1: the database keeps microseconds."""
        return datetime.fromtimestamp(self.now, UTC)


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
    """An answer with an error status."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def invalid(name: str, *reasons: str) -> Refusal:
    """A 6: a value that the model does not take: `message` is an object of arrays."""
    return Refusal(400, {"message": {name: list(reasons)}})


def wrong(reason: str) -> Refusal:
    """A 6: a parameter that the interface does not take."""
    return Refusal(400, {"error": reason})


def unknown(what: str) -> Refusal:
    """A 1: not there and not for you are the same 404."""
    return Refusal(404, {"message": f"404 {what} Not Found"})


def forbidden() -> Refusal:
    """A 6."""
    return Refusal(403, {"message": "403 Forbidden"})


@dataclass
class User:
    """One account, and what it was told by mail."""

    id: int
    username: str
    admin: bool = False
    told: list[str] = field(default_factory=list)


@dataclass
class Token:
    """What an account signs in with."""

    user: int
    scopes: tuple[str, ...] = ("api",)


@dataclass
class Group:
    """A group above projects, and above other groups. ``members`` have their roles in all that is in it."""

    id: int
    path: str
    parent: int | None = None
    visibility: str = "private"
    members: dict[int, int] = field(default_factory=dict)


@dataclass
class Project:
    """One project. ``members`` maps accounts to their roles."""

    id: int
    path: str
    name: str
    group: int | None = None
    visibility: str = "private"
    archived: bool = False
    issues_access_level: str = "enabled"
    members: dict[int, int] = field(default_factory=dict)
    old_paths: set[str] = field(default_factory=set)
    last_iid: int = 0
    last_milestone: int = 0


@dataclass
class Label:
    """A label of a project, or of a group."""

    id: int
    name: str
    project: int | None = None
    group: int | None = None


@dataclass
class Milestone:
    """A milestone of a project, or of a group."""

    id: int
    iid: int
    title: str
    created_at: datetime
    updated_at: datetime
    project: int | None = None
    group: int | None = None
    description: str | None = None
    state: str = "active"
    start_date: str | None = None
    due_date: str | None = None


@dataclass
class Issue:
    """One issue. ``events`` are its histories by kind, ``heard`` the notes that other issues left on it."""

    id: int
    iid: int
    project: int
    title: str
    author: int
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    state: str = "opened"
    labels: list[int] = field(default_factory=list)
    milestone: int | None = None
    due_date: str | None = None
    start_date: str | None = None
    confidential: bool = False
    issue_type: str = "issue"
    moved_to: int | None = None
    closed_at: datetime | None = None
    assignees: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    events: dict[str, list[Json]] = field(default_factory=lambda: {"state": [], "label": [], "milestone": []})
