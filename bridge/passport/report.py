"""What was measured, as plain data: lines about values, and facts about the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from mappings.canonical import Value


class Verdict(StrEnum):
    """What became of a value, best first."""

    KEPT = "kept"
    AMONG = "among"  # it is one of those that the platform cannot tell apart (R8)
    ALIKE = "alike"  # another spelling of the same
    SHORT = "short"  # up to a length
    OTHER = "other"  # it comes back as something else
    LOST = "lost"  # it comes back empty
    REFUSED = "refused"  # the platform does not take it
    ABSENT = "absent"  # the platform, or the mapping, has no place for it
    FAILED = "failed"  # it could not be measured


@dataclass(frozen=True)
class Line:
    """One value that was written and read back.

    ``step`` says what was done (set, change, clear) or with which kind of text; ``shown`` are the values that the
    record asserts afterwards, ``note`` is the sentence of a connector or a mapping.
    """

    area: str
    field: str
    step: str
    sent: Value
    verdict: Verdict
    shown: tuple[Value, ...] = ()
    note: str = ""


Fact = str | int | float | bool | None


@dataclass
class Passport:
    """Everything that was measured on one platform.

    ``facts`` are answers by question; ``others`` the records that lay there and were left alone; ``left`` what was
    made and could not be taken away again; ``failure`` is the sentence with which measuring ended early.
    """

    name: str
    type: str
    host: str
    title: str
    others: int = 0
    lines: list[Line] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything was measured, and nothing is left behind."""
        records_left = [one for one in self.left if not one.startswith(OPTION)]
        return not (self.failure or records_left or any(one.verdict is Verdict.FAILED for one in self.lines))

    def area(self, name: str) -> list[Line]:
        """The lines of one area, in the order in which they were measured."""
        return [one for one in self.lines if one.area == name]

    def json(self) -> Mapping[str, Any]:
        """For machines."""
        return {**asdict(self), "ok": self.ok}


OPTION = "+"
"""Before the title of a label (or another option) that was made: no connector can take those away."""
