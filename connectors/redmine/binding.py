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


ALL, OWN = "all", "own"


@dataclass(frozen=True)
class Rights:
    """What our account may do in a project.

    ``lacks`` are permissions that its roles do not give, ``narrow``: they show it only some issues. ``hides`` says
    which issues it may make private, `ALL`, its `OWN` or "" for none; ``sees``: it is shown those of others.
    """

    lacks: tuple[str, ...] = ()
    narrow: bool = False
    hides: str = ""
    sees: bool = False


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
    tells; ``hides`` and ``sees`` are those of `Rights`. ``defaults`` is what a new issue gets. ``formatting`` is how
    the instance shows text, "" if unknown.
    """

    setting: str
    project: int
    title: str
    me: int
    open: bool
    lacks: tuple[str, ...]
    stranger: bool
    narrow: bool
    hides: str
    sees: bool
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

    def warnings(self, host: str, *, confidential: bool) -> tuple[str, ...]:
        """What people should know before the first pass; ``confidential``: it is marked as fit for that."""
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
            (
                confidential and self.writable and not self.hides,
                f"Our account may not make issues private in {project}: nothing confidential is made there.",
            ),
            (
                confidential and self.writable and self.hides == OWN,
                f"Our account may make only its own issues private in {project}: those of others do not become "
                "confidential there.",
            ),
            (
                confidential and not self.sees,
                f"Our account does not see private issues of others in {project}: these are not mirrored.",
            ),
        )
        return tuple(text for holds, text in said if holds)


def bind(wire: Wire, setting: str, wanted: str) -> Binding:
    """Find the project, and what our account may do there."""
    me = wire.me(memberships=True)
    project = _choose(wire, wanted.strip())
    words = wire.words(project)
    found = rights(wire, me, project.id)
    return Binding(
        setting,
        project.id,
        project.name,
        me.id,
        project.is_open,
        found.lacks,
        not (me.admin or _roles(me, project.id)),
        found.narrow,
        found.hides,
        found.sees,
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


def rights(wire: Wire, me: User, project: int) -> Rights:
    """What our roles in a project allow; nothing is lacking where nobody says, but nothing is private either."""
    if me.admin:
        return Rights(hides=ALL, sees=True)
    try:
        found = [wire.role(id) for id in _roles(me, project)]
    except PlatformError:
        found = []
    if not found:
        return Rights()
    given = {permission for role in found for permission in role.permissions}
    hides = ALL if "set_issues_private" in given else OWN if "set_own_issues_private" in given else ""
    seen = {role.issues_visibility for role in found}
    return Rights(tuple(right for right in _RIGHTS if right not in given), seen == {"own"}, hides, "all" in seen)


def _roles(me: User, project: int) -> list[int]:
    return [role.id for one in me.memberships if one.project.id == project for role in one.roles]
