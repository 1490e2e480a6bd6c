"""The canonical model: what a city's digital strategy is made of, whatever tool it is kept in.

An *item* is one task, milestone, measure, field of action, goal or strategy with its own stable id. Its values
live in *cells*: a field with one value is one cell (``"due"``); a set is one yes/no cell per element
(``"labels:presse"``), so that what one side added is added and what it removed is removed (R10).

Dates are calendar dates in the city's zone as ISO text; text has LF line ends; a reference is an item's id.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

Value = str | int | bool | None
"""One canonical value. None is "empty": a field that a person cleared (R7)."""

Cell = str
"""``field`` or ``field:element``."""


class Kind(StrEnum):
    """What an item is. Platforms hold milestones and tasks; the layers above appear as the mapping says."""

    STRATEGY = "strategy"
    GOAL = "goal"
    ACTION_FIELD = "action_field"
    MEASURE = "measure"
    MILESTONE = "milestone"
    TASK = "task"


class Type(StrEnum):
    """How a field behaves when two people change it."""

    LINE = "line"  # one line of text; as a whole
    TEXT = "text"  # CommonMark; merges by line (R11)
    CHOICE = "choice"  # one of a vocabulary; coarse platforms assert sets (R8)
    NUMBER = "number"
    DATE = "date"
    REFERENCE = "reference"  # one item
    SET = "set"  # labels; merges by element (R10)
    REFERENCES = "references"  # a set of items


STATUS = ("idea", "planned", "in_progress", "ongoing", "on_hold", "done", "cancelled", "unknown")
PRIORITY = (1, 2, 3)
INTERNAL, PUBLIC, CONFIDENTIAL = VISIBILITY = ("internal", "public", "confidential")
"""Confidential items go only to connectors that are marked as fit for them, and only by a deliberate act (ADR 0021)."""

TITLE_LIMIT = 255
"""Characters of a title. Every platform we know holds that many; a longer one is parked and said (R27)."""

CUT = "…"
"""Stands where a title was shortened."""

_PREFERENCE: Mapping[Value, int] = {
    value: rank
    for rank, value in enumerate(
        (
            "planned",
            "in_progress",
            "done",
            "on_hold",
            "ongoing",
            "idea",
            "cancelled",
            "unknown",
            "internal",
            "public",
            "confidential",
        )
    )
}


@dataclass(frozen=True)
class FieldSpec:
    """One canonical field: its type, its vocabulary if it has one, the group it must agree with (R12).

    ``default`` is what a record means that says nothing, where saying nothing is not an act.
    """

    name: str
    type: Type
    choices: tuple[Value, ...] = ()
    group: str = ""
    default: Value = None

    @property
    def many(self) -> bool:
        """Whether the field is a set: one cell per element."""
        return self.type in (Type.SET, Type.REFERENCES)


FIELDS: Mapping[str, FieldSpec] = {
    spec.name: spec
    for spec in (
        FieldSpec("title", Type.LINE),
        FieldSpec("description", Type.TEXT),
        FieldSpec("status", Type.CHOICE, STATUS, "status"),
        FieldSpec("progress", Type.NUMBER, group="status"),
        FieldSpec("completed_on", Type.DATE, group="status"),
        FieldSpec("priority", Type.CHOICE, (*PRIORITY, None)),
        FieldSpec("start", Type.DATE, group="dates"),
        FieldSpec("due", Type.DATE, group="dates"),
        FieldSpec("parent", Type.REFERENCE),
        FieldSpec("milestone", Type.REFERENCE),
        FieldSpec("depends_on", Type.REFERENCES),
        FieldSpec("responsible", Type.SET),
        FieldSpec("labels", Type.SET),
        FieldSpec("visibility", Type.CHOICE, VISIBILITY, default="internal"),
    )
}
"""The fields that are mirrored today, in the order in which people read them.

``responsible`` are organisational units, never people. The rest of the model (summaries, health, goals, funding,
decisions, indicators) is kept for the reports and comes from the strategy office's own file; no platform holds it.
"""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "dates": ("start", "due"),
    "status": ("status", "progress", "completed_on"),
}


def field_of(cell: Cell) -> FieldSpec:
    """The field that a cell belongs to."""
    return FIELDS[cell.partition(":")[0]]


def element_of(cell: Cell) -> str:
    """The element that a cell of a set stands for, "" for a cell that is a whole field."""
    return cell.partition(":")[2]


def cell_of(field: str, element: str) -> Cell:
    """The cell of one element of a set. Labels compare by NFC, case-folded, trimmed (R10)."""
    return f"{field}:{normal(element) if FIELDS[field].type is Type.SET else element}"


@lru_cache(maxsize=65_536)
def normal(text: str | None) -> str:
    """Text as it is compared when only its meaning counts: NFC, case-folded, blanks collapsed."""
    return " ".join(unicodedata.normalize("NFC", text or "").casefold().split())


def plain(text: str | None) -> str:
    """Canonical text: LF line ends, no blanks at the very end (no platform keeps those reliably)."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").rstrip()


def shortened(text: str, limit: int | None) -> str:
    """A title as a platform shows it that has no room for all of it."""
    return text if limit is None or len(text) <= limit else text[: limit - len(CUT)].rstrip() + CUT


def alike(cell: Cell, one: Value, other: Value) -> bool:
    """Whether two values of a cell mean the same. Elements of sets are there or not, however spelled."""
    spec = field_of(cell)
    if spec.many:
        return (one is None) == (other is None)
    if spec.type is Type.TEXT:
        return plain(str(one or "")) == plain(str(other or ""))
    if spec.type is Type.LINE:
        return _line(one) == _line(other)
    return one == other


def _line(value: Value) -> str:
    return unicodedata.normalize("NFC", str(value or "")).strip()


def is_empty(cell: Cell, value: Value) -> bool:
    """Whether a value says nothing at first contact, where empty never beats filled (R16)."""
    return value is None or value == "" or (value == field_of(cell).default and value is not None)


def preferred(values: frozenset[Value]) -> Value:
    """The one value to take when several are said to be meant: the plainest, the same on every platform (R8)."""
    return min(values, key=lambda value: (_PREFERENCE.get(value, 99), str(value)))
