"""Which project a connector is bound to, and what it remembers between two pulls and two runs.

A project is chosen once, by identifier, id or name; from then on its id counts, whatever people call it (R30).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.base import Native
from connectors.errors import CursorExpired, NotACollection, NotFound, PlatformError, Unauthorized
from connectors.redmine.shapes import Project, User
from connectors.redmine.wire import Wire
from connectors.richtext import MARKDOWN, TEXTILE, TextFormat

OVERLAP = timedelta(seconds=10)
"""A change is stamped before it is committed, so what came shortly before the newest stamp is asked for again."""

TRUST = 86_400.0
"""Seconds for which stamps are believed; then the whole project is read (R6)."""

_RIGHTS = ("view_issues", "add_issues", "edit_issues", "manage_subtasks", "manage_versions")


@dataclass(frozen=True)
class Cursor:
    """Up to where the project was read.

    ``since``   the newest stamp that an issue had when the reading began, "" if there was none
    ``seen``    of what comes again in any case, issues within the overlap and all versions, a hash of the answer
    ``whole``   when the whole project was read, by our own clock
    """

    project: int
    since: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)
    whole: float = 0.0

    @classmethod
    def read(cls, text: str, project: int) -> Cursor:
        """A cursor of ours, of this very project, that may still be believed; else CursorExpired."""
        try:
            found = cls(**json.loads(text))
        except (ValueError, TypeError):
            found = cls(0)
        if found.project != project:
            raise CursorExpired("The cursor is not one of this project.")
        if not 0 <= time.time() - found.whole < TRUST:
            raise CursorExpired("The project was not read whole for a day.")
        return found

    @property
    def asks(self) -> str:
        """The filter for what changed since. Seconds, in UTC and without an offset: no other way is understood."""
        return ">=" + (datetime.fromisoformat(self.since) - OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def overlaps(self, stamp: object) -> bool:
        """Whether something with this stamp will be asked for again."""
        try:
            return datetime.fromisoformat(str(stamp)) >= datetime.fromisoformat(self.since) - OVERLAP
        except ValueError:
            return True

    def text(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Binding:
    """The project, our account, what it lacks, and the setting that all this was found by.

    ``lacks`` are permissions that our roles do not give; ``stranger``: our account is no member, so that nobody
    tells. ``defaults`` is what a new issue gets. ``formatting`` is how the instance shows text, "" if unknown.
    """

    setting: str
    project: int
    title: str
    me: int
    open: bool
    lacks: tuple[str, ...]
    stranger: bool
    narrow: bool
    formatting: str
    defaults: Mapping[str, Native]

    @classmethod
    def remembered(cls, text: str | None, setting: str) -> Binding | None:
        """What an earlier run found, if it is the answer to the same question."""
        try:
            found = cls(**json.loads(text)) if text else None
        except (ValueError, TypeError):
            return None
        return found if found and found.setting == setting else None

    def text(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self))

    @property
    def rich(self) -> TextFormat:
        """How descriptions are written; Markdown where nobody tells."""
        return TEXTILE if self.formatting == TEXTILE.name else MARKDOWN

    @property
    def writable(self) -> bool:
        """Whether issues can be made and changed here. A closed project refuses every write (section 2)."""
        return self.open and not {"add_issues", "edit_issues"} & set(self.lacks)

    def warnings(self, host: str) -> tuple[str, ...]:
        """What people should know before the first pass."""
        project = f"the project “{self.title}” on {host}"
        said = (
            (not self.open, f"Nothing can be written to {project}: it is closed."),
            (self.stranger, f"Our account is no member of {project}: what it may do there is unknown."),
            (
                self.open and not self.writable,
                f"Our account may not make or change issues in {project}: nothing is written there.",
            ),
            (
                self.writable and "manage_versions" in self.lacks,
                f"Our account may not manage versions in {project}: no milestone can be made there.",
            ),
            (
                self.writable and "manage_subtasks" in self.lacks,
                f"Our account may not manage subtasks in {project}: no issue gets a parent there.",
            ),
            (self.narrow, f"Our account does not see all issues in {project}: give it a role that does."),
        )
        return tuple(text for holds, text in said if holds)


def bind(wire: Wire, setting: str, wanted: str) -> Binding:
    """Find the project, and what our account may do there."""
    me = wire.me(memberships=True)
    project = _choose(wire, wanted.strip())
    words = wire.words(project)
    roles = [role.id for one in me.memberships if one.project.id == project.id for role in one.roles]
    lacks, narrow = _rights(wire, me, roles)
    return Binding(
        setting,
        project.id,
        project.name,
        me.id,
        project.is_open,
        lacks,
        not (me.admin or roles),
        narrow,
        _formatting(wire, project.id),
        words.defaults,
    )


def _choose(wire: Wire, wanted: str) -> Project:
    """The project that the setting means: by identifier or id, else by its name."""
    setting = f"{wire.http.name}_COLLECTION"
    try:
        return wire.project(wanted)
    except NotFound:
        pass
    except Unauthorized:
        raise Unauthorized(
            f"{wire.http.host} does not let our account into the project “{wanted}” ({setting}): make it a member."
        ) from None
    projects = wire.projects()
    named = [one for one in projects if one.name.casefold() == wanted.casefold()]
    if len(named) == 1:
        return wire.project(str(named[0].id))
    titles = tuple(sorted(one.identifier for one in projects))
    there = ", ".join(f"“{title}”" for title in titles) or "none"
    raise NotACollection(
        f"{wire.http.host} shows our account no project “{wanted}” ({setting}); there is: {there}.", found=titles
    )


def _formatting(wire: Wire, project: int) -> str:
    """How the instance shows text, told by any issue of it that we may edit; "" if there is none."""
    for where in (project, None):
        issue = wire.newest(where).get("id")
        found = wire.formatting(issue) if isinstance(issue, int) else ""
        if found:
            return found
    return ""


def _rights(wire: Wire, me: User, roles: list[int]) -> tuple[tuple[str, ...], bool]:
    """The permissions that our roles lack, and whether they show us only some issues; nothing where nobody says."""
    if me.admin or not roles:
        return (), False
    try:
        found = [wire.role(id) for id in roles]
    except PlatformError:
        return (), False
    given = {permission for role in found for permission in role.permissions}
    return tuple(right for right in _RIGHTS if right not in given), all(
        role.issues_visibility == "own" for role in found
    )
