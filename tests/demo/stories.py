"""What two departments do on one morning, and what must come of it.

The six next steps appear nowhere here: nobody touches them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from tests.demo.people import Department, Task, Value

APART = 2.1
"""Seconds between the two departments' edits: what is 2 s apart is decided by time, never by order."""

Fields = Mapping[str, Value]


@dataclass(frozen=True)
class Story:
    """One task, what is done to it where, and what both lists must say in the end.

    ``edits`` and ``ends`` are by department: FB 02, then IT. None is no edit, and in the end: no such task.
    """

    key: str
    title: str
    edits: tuple[Fields | None, Fields | None]
    ends: tuple[Fields | None, Fields | None]
    deleted_by_it: bool = False
    new: bool = False
    shown: tuple[str, ...] = field(default=())
    """The fields that are shown of a new task; of others, those that changed."""


def _both(fields: Fields) -> tuple[Fields, Fields]:
    return fields, fields


DISPUTED = "Probebetrieb der Kollaborationsplattform ausgewertet"
LOST, WON = date(2018, 11, 9), date(2018, 11, 30)
DELETED = "Digitale Aktenführung im FB 02 erproben"

_GOAL = "Die Beschäftigten planen ihre Aufgaben gemeinsam an einer digitalen Tafel."
_PLAIN = "Einfache Sprache: " + _GOAL
_PLAINER = "Einfache Sprache: Alle planen ihre Aufgaben zusammen: an einer digitalen Tafel."
_RISK = "Risiko: Ohne Dienstvereinbarung kein Regelbetrieb."
_PILOT = "Probebetrieb: 20 Arbeitsplätze ab Juli."
_RIGHTS = "IT: Rechte und Rollen sind beschrieben."
_TICKED = datetime(2018, 3, 26, 9, 30, tzinfo=UTC)
_MEETING = "Ergänztes Strategiepapier liegt der AG vor (dritte Sitzung)"

STORIES = (
    Story(
        "fields",
        "Gute Beispiele anderer Städte auswerten",
        ({"DUE": date(2018, 9, 14)}, {"PERCENT-COMPLETE": 60}),
        _both({"DUE": date(2018, 9, 14), "PERCENT-COMPLETE": 60}),
    ),
    Story(
        "conflict",
        DISPUTED,
        ({"DUE": LOST}, {"DUE": WON}),
        _both(
            {"DUE": WON},
        ),
    ),
    Story(
        "text",
        "Kollaborationsplattform im FB 02",
        (
            {"DESCRIPTION": "\n".join((_PLAINER, _RISK))},
            {"DESCRIPTION": "\n".join((_PLAIN, _RISK, _PILOT, _RIGHTS))},
        ),
        _both({"DESCRIPTION": "\n".join((_PLAINER, _RISK, _PILOT, _RIGHTS))}),
    ),
    Story(
        "words",
        "Netzwerk der digitalen Lotsinnen und Lotsen",
        ({"STATUS": "IN-PROCESS"}, {"CATEGORIES": ("Measure", "Schulung", "public")}),
        (
            {"STATUS": "IN-PROCESS", "CATEGORIES": ("Maßnahme", "Schulung", "öffentlich")},
            {"STATUS": "NEEDS-ACTION", "CATEGORIES": ("Measure", "Schulung", "public")},
        ),
    ),
    Story(
        "done",
        "Eintrag ins Verzeichnis von Verarbeitungstätigkeiten entwerfen",
        (None, {"STATUS": "COMPLETED", "PERCENT-COMPLETE": 100, "COMPLETED": _TICKED}),
        _both({"STATUS": "COMPLETED", "PERCENT-COMPLETE": 100}),
    ),
    Story("delete", DELETED, (None, None), ({"STATUS": "CANCELLED"}, None), deleted_by_it=True),
    Story(
        "new_fb02",
        "Einladung zur dritten Sitzung der AG versenden",
        ({"STATUS": "NEEDS-ACTION", "DUE": date(2018, 5, 8), "CATEGORIES": (_MEETING, "öffentlich")}, None),
        ({}, {"STATUS": "NEEDS-ACTION", "DUE": date(2018, 5, 8), "CATEGORIES": (_MEETING, "public")}),
        new=True,
        shown=("DUE", "CATEGORIES"),
    ),
    Story(
        "new_it",
        "Rechte und Rollen der Testinstanz beschreiben",
        (
            None,
            {"STATUS": "NEEDS-ACTION", "DUE": date(2018, 4, 13), "PRIORITY": 1, "PARENT": "Testinstanz bereitstellen"},
        ),
        ({"DUE": date(2018, 4, 13), "PRIORITY": 1, "PARENT": "Testinstanz bereitstellen"}, {}),
        new=True,
        shown=("DUE", "PRIORITY", "PARENT"),
    ),
)


def live_through(fb02: Department, it: Department) -> None:
    """Let both departments work: first FB 02, a little later IT."""
    _work(fb02, 0)
    time.sleep(APART)
    _work(it, 1)


def _work(department: Department, side: int) -> None:
    for story in STORIES:
        edit = story.edits[side]
        if edit is not None and story.new:
            department.create(f"neu-{story.key}", {"SUMMARY": story.title, **_found(department, edit)})
        elif edit is not None:
            department.edit(story.title, edit)
        elif side and story.deleted_by_it:
            department.delete(story.title)


def _found(department: Department, fields: Fields) -> Fields:
    """The same fields with the parent's UID for its title, as it is in this list."""
    if "PARENT" not in fields:
        return fields
    return {**fields, "PARENT": department.task(str(fields["PARENT"])).uid}


class Seen:
    """Both task lists at one moment, by title; what refers to a task is shown with that task's title."""

    def __init__(self, fb02: Department, it: Department) -> None:
        self.sides = (fb02.tasks(), it.tasks())
        self._titles = tuple({task.uid: task.title for task in tasks} for tasks in self.sides)

    def titles(self, side: int) -> list[str]:
        """Every title in a list, twice if it is there twice."""
        return sorted(task.title for task in self.sides[side])

    def task(self, side: int, title: str) -> Task | None:
        """The task of a title."""
        return next((task for task in self.sides[side] if task.title == title), None)

    def fields(self, side: int, title: str) -> dict[str, Value] | None:
        """What a task says, None if there is none."""
        task = self.task(side, title)
        if task is None:
            return None
        values = dict(task.values)
        if "PARENT" in values:
            values["PARENT"] = self._titles[side].get(str(values["PARENT"]), "?")
        if "DEPENDS-ON" in values:
            uids = values["DEPENDS-ON"]
            assert isinstance(uids, tuple)
            values["DEPENDS-ON"] = tuple(sorted(self._titles[side].get(uid, "?") for uid in uids))
        if "CATEGORIES" in values:
            words = values["CATEGORIES"]
            assert isinstance(words, tuple)
            values["CATEGORIES"] = tuple(sorted(words))
        return values

    def texts(self, side: int) -> dict[str, str]:
        """The raw text of every task, by title."""
        return {task.title: task.ics for task in self.sides[side]}


def missed(story: Story, seen: Seen) -> list[str]:
    """Where a story did not end as it must: one line each, for people."""
    wrong = []
    for side, end in enumerate(story.ends):
        now = seen.fields(side, story.title)
        if end is None or now is None:
            if (end is None) != (now is None):
                wrong.append(f"{story.title}: {'there' if now is not None else 'not there'}")
            continue
        for name, value in end.items():
            wanted = tuple(sorted(value)) if isinstance(value, tuple) else value
            if now.get(name) != wanted:
                wrong.append(f"{story.title}: {name} {now.get(name)!r}, not {wanted!r}")
    return wrong
