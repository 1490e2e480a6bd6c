"""The tables of a mapping file: canonical field to native field, and what the values are called there.

Two ways to say a choice: ``values`` is a table of native values (the first of each meaning is written, all are
read); ``elements`` names labels or categories that stand for it (the first is written, all are read, and the
one choice with an empty list is what no such element means).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from mappings.canonical import Value

NONE = "none"
"""How a mapping file spells the canonical "nothing", which TOML has no word for."""

DONE: Value = "done"
"""What a flag or stamp of completion means."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Table):
    """A line or a text; ``limit`` is the greatest number of characters that the platform takes."""

    native: str = Field(min_length=1)
    limit: StrictInt | None = Field(default=None, gt=0)


class Number(_Table):
    """A whole number."""

    native: str = Field(min_length=1)


class Day(_Table):
    """A calendar date, which the platform keeps as a date or only as a moment (R14)."""

    native: str = Field(min_length=1)
    as_: Literal["date", "moment"] = Field(alias="as")


class Coarse(_Table):
    """Records that know fewer values than the others: those that have ``value`` in the native field ``native``."""

    native: str = Field(min_length=1)
    value: StrictBool | StrictStr
    knows: tuple[str, ...] = ()


class Secret(_Table):
    """How a platform keeps a record to few people: each of ``values`` says so, and the first is written."""

    native: str = Field(min_length=1)
    values: tuple[StrictBool | StrictStr, ...] = Field(min_length=1)


class Choice(_Table):
    """One of a vocabulary (R8).

    ``empty`` is what nothing there means. ``shown_as`` says which value is shown where the platform has none for
    a value, ``coarse`` which records have none for most of them. Of status only: ``stamp`` is a moment that goes
    with done, ``flag`` a moment that *means* done. Of visibility only: ``secret`` is what means confidential, whatever
    else the record says; where it is alone, nobody can tell internal from public there.
    """

    native: str = Field(min_length=1)
    as_: Literal["text", "number"] = Field(default="text", alias="as")
    values: dict[str, StrictStr | StrictInt] = {}
    elements: dict[str, tuple[str, ...]] = {}
    shown_as: dict[str, StrictStr | StrictInt] = {}
    empty: StrictStr | StrictInt | None = None
    coarse: Coarse | None = None
    stamp: str | None = None
    flag: str | None = None
    secret: Secret | None = None


class Reference(_Table):
    """Another item: by the native id of its record, or by an element that is titled like it (milestones)."""

    native: str = Field(min_length=1)
    by: Literal["id", "title"] = "id"
    limit: StrictInt | None = Field(default=None, gt=0)


class Set(_Table):
    """A set of elements; ``limit`` is the greatest number of characters of one."""

    native: str = Field(min_length=1)
    limit: StrictInt | None = Field(default=None, gt=0)


class Kinds(_Table):
    """How the platform tells kinds apart; a kind that is left out cannot be held there."""

    native: str = Field(min_length=1)
    elements: dict[str, tuple[str, ...]] = {}
    values: dict[str, str] = {}
    empty: str | None = None


class Archive(_Table):
    """What an archived record looks like."""

    native: str = Field(min_length=1)
    value: StrictBool | StrictStr


class FieldTables(_Table):
    """The canonical fields that the platform can hold. What is left out is neither read nor written there (R7)."""

    title: Text
    description: Text | None = None
    status: Choice | None = None
    progress: Number | None = None
    completed_on: Day | None = None
    priority: Choice | None = None
    start: Day | None = None
    due: Day | None = None
    parent: Reference | None = None
    milestone: Reference | None = None
    depends_on: Set | None = None
    responsible: Set | None = None
    labels: Set | None = None
    visibility: Choice | None = None

    def tables(self) -> dict[str, Text | Number | Day | Choice | Reference | Set]:
        """The tables that are there, by canonical field."""
        return {name: table for name in type(self).model_fields if (table := getattr(self, name)) is not None}


class Mapping_(_Table):
    """A whole mapping file."""

    platform: str = Field(min_length=1)
    kinds: Kinds
    archive: Archive | None = None
    fields: FieldTables


def choice_value(choices: Sequence[Value], raw: str | int) -> Value:
    """The canonical value that a mapping file spells ``raw``; KeyError if there is none."""
    return {spelled(value): value for value in choices}[str(raw)]


def spelled(value: Value) -> str:
    """A canonical value as a mapping file spells it."""
    return NONE if value is None else str(value)
