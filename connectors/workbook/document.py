"""What the formats have in common: a document with rows, read whole and written whole.

A document is parsed from the bytes of a file, changed, and turned into bytes again. Whatever it does not know (other
columns, other sheets, formats, comments) comes out as it went in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connectors.base import Fields, Native


@dataclass
class Row:
    """One row: ``place`` is known to its document only, ``id`` is "" for one that nobody but people touched.

    In ``fields`` a reference is still what the cell says: titles of other rows, or their numbers. ``locked`` are the
    fields that a formula works out: they are neither read nor written (R7). ``number`` is what the office counts it as.
    """

    place: int
    id: str
    fields: dict[str, Native]
    locked: frozenset[str] = field(default_factory=frozenset)
    number: str = ""


class Unreadable(Exception):
    """The bytes are not (yet) a document of this format: half saved, or something else altogether."""


class Unfit(Exception):
    """The document is whole, and has no table of tasks. The message, with {name} for its name, says why.

    Without one, it has no header for the titles.
    """


class Document(Protocol):
    """A parsed file. ``names`` are the native fields that it has columns for; ``loses`` what saving would destroy.

    ``astray`` are ids in the file of which nobody knows whose they are, as of the last ``rows``. ``change`` and
    ``append`` write everything they are given, or raise Rejected and leave the document as it was.
    """

    names: frozenset[str]
    loses: str
    astray: frozenset[str]

    def rows(self) -> list[Row]:
        """Every row that says anything, in the order of the file."""
        ...

    def identify(self, row: Row, native_id: str) -> None:
        """Give a row its id."""
        ...

    def change(self, row: Row, fields: Fields) -> None:
        """Write these cells and no others."""
        ...

    def append(self, native_id: str, fields: Mapping[str, Native]) -> None:
        """Add a row behind the last one."""
        ...

    def remove(self, row: Row) -> None:
        """Take a row out."""
        ...

    def save(self) -> bytes:
        """The document as a file's content."""
        ...
