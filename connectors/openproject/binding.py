"""Which project a connector is bound to, and what it remembers between two pulls and two runs.

A project is chosen once, by identifier, id or name; from then on its id counts, whatever people call it (R30).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from connectors.base import Native
from connectors.errors import CursorExpired, NotACollection, NotFound
from connectors.openproject.shapes import Project, User, WorkPackage, moment, read
from connectors.openproject.wire import Wire
from connectors.openproject.words import Words, folded

OVERLAP = timedelta(seconds=60)
"""How long a change may take from its stamp to the moment when others see it."""

TRUST = 86_400.0
"""Seconds for which stamps are believed; then the whole project is read (R6)."""


@dataclass(frozen=True)
class Cursor:
    """Up to where the project was read.

    ``since``   the newest stamp that a work package had when the reading began, "" if there was none
    ``seen``    hashes of those that will come again because they are within the overlap
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
        """From when on changes are asked for; the border is included (B)."""
        return moment(datetime.fromisoformat(self.since) - OVERLAP)

    def overlaps(self, stamp: str) -> bool:
        """Whether something with this stamp will be asked for again."""
        try:
            return datetime.fromisoformat(stamp) >= datetime.fromisoformat(self.since) - OVERLAP
        except ValueError:
            return True

    def text(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Binding:
    """The project, our account, what is missing there, and the setting that all this was found by.

    ``creates`` and ``edits`` are our role's rights, ``lacking`` what a new work package would need that nobody fills:
    the name of its type, and the names of its custom fields. ``defaults`` is what a new task shows.
    """

    setting: str
    project: int
    title: str
    me: int
    admin: bool
    public: bool
    creates: bool
    edits: bool
    versions: bool
    milestones: bool
    away: bool
    lacking: Sequence[Sequence[str]]
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
    def writable(self) -> bool:
        """Whether anything can be made and changed here."""
        return self.creates and self.edits

    def warnings(self, host: str) -> tuple[str, ...]:
        """What people should know before the first pass."""
        project = f"the project “{self.title}” on {host}"
        said = [
            (
                not self.writable,
                f"Our account may not make or change work packages in {project}: nothing is written there.",
            ),
            (
                self.public,
                f"Everybody who may use {host} may read {project}: what is internal elsewhere is shown to them there.",
            ),
            (
                self.writable and not self.milestones,
                f"There is no type for milestones in {project}: no milestone can be made there.",
            ),
            (
                self.writable and not self.versions,
                f"Our account may not manage versions in {project}: a task is put into a milestone's version only "
                "where there is one of that name.",
            ),
            (
                self.writable and not self.away,
                f"There is no closed status such as “Rejected” in {project}: what is deleted elsewhere stays there.",
            ),
            (
                not self.admin,
                f"Our account is no administrator on {host}: a work package that was deleted cannot be told from one "
                "that was moved out of our sight: it rests, and is archived elsewhere a day later.",
            ),
        ]
        said += [
            (
                self.writable,
                f"A new work package of the type “{type}” in {project} needs what nobody fills ({', '.join(names)}): "
                "none can be made there.",
            )
            for type, *names in self.lacking
        ]
        return tuple(text for holds, text in said if holds)


def bind(wire: Wire, setting: str, wanted: str) -> Binding:
    """Find the project, and what our account may do there."""
    me = wire.me()
    project = choose(wire, wanted.strip())
    words = wire.words(project.id)
    return Binding(
        setting,
        project.id,
        project.name,
        me.id,
        me.admin,
        project.public,
        words.form is not None,
        _edits(wire, project, me),
        wire.may_make_versions(project.id),
        words.milestone is not None,
        words.away is not None,
        _lacking(wire, project, words),
        words.defaults,
    )


def choose(wire: Wire, wanted: str) -> Project:
    """The project that the setting means: by identifier or id, else by its name."""
    setting = f"{wire.http.name}_COLLECTION"
    try:
        found = wire.project(wanted)
    except NotFound:
        found = _named(wire, wanted, setting)
    return wire.still(found.id, found.name) if not found.active else found


def _named(wire: Wire, wanted: str, setting: str) -> Project:
    projects = wire.projects()
    named = [one for one in projects if folded(one.name) == folded(wanted)]
    if len(named) == 1:
        return wire.project(str(named[0].id))
    titles = tuple(sorted(one.identifier for one in named or projects))
    there = ", ".join(f"“{title}”" for title in titles) or "none"
    if named:
        raise NotACollection(f"{wire.http.host} has several projects that {setting} may mean: {there}.", found=titles)
    raise NotACollection(
        f"{wire.http.host} shows our account no project “{wanted}” ({setting}); there is: {there}.", found=titles
    )


def _edits(wire: Wire, project: Project, me: User) -> bool:
    """Whether our role edits work packages: one that is there tells; where there is none it is taken for granted."""
    if me.admin:
        return True
    newest = wire.newest(project.id)
    found = read(WorkPackage, newest.raw) if newest else None
    return found is None or found.links.update is not None


def _lacking(wire: Wire, project: Project, words: Words) -> list[list[str]]:
    """The types that we make things of, with the custom fields that they need and nobody fills."""
    found = []
    for type in (words.task, words.milestone):
        form = words.form if type is words.task else (wire.form(project.id, type.id) if type else None)
        if type is not None and form is not None and form.lacking:
            found.append([type.name, *form.lacking])
    return found
