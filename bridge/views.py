"""What is shown to people, as plain data: `bridge.render` turns it into pictures, the commands fill it in.

Values are canonical ones; `bridge.render` says them in the language that is set. A reference is the title of the
item that it points to. Connectors are named as in the settings. Moments are Unix seconds, 0 is "never".
Sentences (reasons, errors) are as the engine wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mappings.canonical import Cell, Value


@dataclass(frozen=True)
class Change:
    """One cell and its value before and after."""

    cell: Cell
    before: Value
    after: Value


@dataclass(frozen=True)
class CheckView:
    """One connector as `check` found it. ``found`` lists the collections that are there when ours is not.

    ``fields`` and ``formatting`` say what survives there: a name to one of the words of `bridge.survey`.
    ``scope`` is as `bridge.scope` writes it, "" for everything; ``release`` is as set.
    """

    name: str
    type: str
    host: str
    collection: str
    read_only: bool = False
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    formatting: Mapping[str, str] = field(default_factory=dict)
    scope: str = ""
    release: str = "archive"
    confidential: bool = False


@dataclass(frozen=True)
class Step:
    """One operation: ``act`` is create, update, archive, unarchive, delete or release (nothing is sent for that)."""

    connector: str
    act: str
    kind: str
    title: str
    changes: tuple[Change, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class HeldView:
    """What waits for a person: a guard stop or a first contact, and the digest that releases exactly this."""

    connector: str
    reason: str
    digest: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class PairView:
    """Records held against each other (R16): ``verdict`` is pair, close, ambiguous or new.

    ``sides`` are (connector, title); ``differences`` are the fields that a pair does not agree on.
    """

    verdict: str
    kind: str
    sides: tuple[tuple[str, str], ...]
    differences: tuple[Change, ...] = ()


@dataclass(frozen=True)
class SummaryRow:
    """What a pass did with one connector. ``error`` is "" when it could be read."""

    name: str
    pulled: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    parked: int = 0
    requests: int = 0
    error: str = ""


@dataclass(frozen=True)
class ParkedView:
    """Something left alone on one connector: a whole record where ``cell`` is ""."""

    connector: str
    title: str
    cell: Cell
    reason: str
    since: int = 0


@dataclass(frozen=True)
class ConflictView:
    """Two values met, neither knowing of the other; ``winner_from`` and ``loser_from`` are connectors."""

    id: str
    title: str
    cell: Cell
    base: Value
    winner: Value
    winner_from: str
    loser: Value
    loser_from: str
    rule: str
    at: int
    winner_at: int = 0
    loser_at: int = 0


@dataclass(frozen=True)
class StatusRow:
    """One connector in `status`. ``offset`` is how far its host's clock is ahead, in seconds; None if unknown.

    ``scope`` is the one that was agreed to; ``released`` are records that left it, ``outside`` the titles of records
    that were never in it.
    """

    name: str
    title: str
    host: str
    records: int
    complete_at: int
    offset: float | None = None
    offset_error: float | None = None
    error: str = ""
    waiting: str = ""
    scope: str = ""
    confidential: bool = False
    released: int = 0
    outside: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemRow:
    """One line of `items`."""

    id: str
    kind: str
    title: str
    status: Value
    due: Value
    places: tuple[str, ...]


@dataclass(frozen=True)
class FieldView:
    """One field of an item: its value (elements of a set: their spellings), who said it last and when."""

    name: str
    value: Value | tuple[str, ...]
    origin: str = ""
    at: int = 0


@dataclass(frozen=True)
class PlaceView:
    """One record of an item: where, in which state, at which address."""

    connector: str
    state: str
    url: str = ""
    problem: str = ""


@dataclass(frozen=True)
class EntryView:
    """One line of an item's history; ``act`` is "edit" (read from the connector) or "write" (written to it)."""

    at: int
    connector: str
    act: str
    change: Change
    why: str = ""


@dataclass(frozen=True)
class ItemView:
    """One item in full."""

    id: str
    kind: str
    title: str
    fields: tuple[FieldView, ...]
    places: tuple[PlaceView, ...]
    history: tuple[EntryView, ...] = ()
    conflicts: tuple[ConflictView, ...] = ()
    parked: tuple[ParkedView, ...] = ()
