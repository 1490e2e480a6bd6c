"""What a translation looks at besides the record: the platform's options, what they mean, and who is who.

The engine keeps a `Vocabulary` per connector and answers `References`; both are handed in, so that translating
stays pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from zoneinfo import ZoneInfo

from connectors.base import NEW, Fields, Native, Options
from mappings.canonical import Cell, Value, normal


@dataclass(frozen=True)
class Vocabulary:
    """The options of one connector's collection (columns, labels), and what the bridge takes them to mean.

    ``there``: native field to {option id: title as the platform says it now}; a native field takes options if it
    is in here. ``meant``: the title under which an option was first understood: renaming a column or a label is
    not an edit of all its cards (R10). ``bound``: native field to {option id or element: item id}, the elements
    that stand for a milestone.
    """

    there: Options = field(default_factory=dict)
    meant: Options = field(default_factory=dict)
    bound: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


STALE = "~"
"""Before an item's id: the record referred to is gone, and the item has another one, to be referred to anew (R13)."""


class References(Protocol):
    """Who is who on this connector."""

    def item_of(self, native_id: str) -> str | None:
        """The item behind a record of this connector, None if there is none (yet); see `STALE`."""
        ...

    def native_of(self, item: str) -> str | None:
        """The native id of an item's live record on this connector, None if there is none (yet)."""
        ...

    def title_of(self, item: str) -> str:
        """The title of an item; `Pending` if it must not be named on this connector."""
        ...

    def milestone_titled(self, title: str, limit: int | None = None) -> str | None:
        """The one milestone with that title, compared by `normal`; None if there is none or more than one.

        If nothing has it as it is, it may be `shortened` to the limit.
        """
        ...


class Unreadable(Exception):
    """A native value that has no canonical meaning: its field is absent (R7). The message is a sentence."""


class Waiting(Exception):
    """A reference to a record that has no item yet (R13)."""

    def __init__(self, native_id: str) -> None:
        super().__init__(native_id)
        self.native_id = native_id


class Unshowable(Exception):
    """A value that this platform cannot show. The message is a sentence."""


class Pending(Exception):
    """A reference to an item that has no record there yet (R13)."""

    def __init__(self, item: str) -> None:
        super().__init__(item)
        self.item = item


@dataclass(frozen=True)
class Shelf:
    """The options of one native field, or none where it takes plain text."""

    there: Mapping[str, str] | None
    meant: Mapping[str, str]

    def meaning(self, element: str) -> str | None:
        """The title that an element stands under; None for an option that nobody told us of."""
        if self.there is None:
            return element
        if element in self.meant or element in self.there:
            meant, today = self.meant.get(element), self.there.get(element)
            return today if today and meant and self._bears_another(meant, element) else meant or today
        return element.removeprefix(NEW) if element.startswith(NEW) else None

    def _bears_another(self, title: str, element: str) -> bool:
        """Whether another option has this title today: then the old name means that one, not the renamed one."""
        if self.there is None or normal(self.there.get(element)) == normal(title):
            return False
        return any(normal(other) == normal(title) for id, other in self.there.items() if id != element)

    def pick(self, names: tuple[str, ...]) -> str:
        """The element to write for a meaning that the record does not show: one that is there, else a new one.

        ``names`` are the titles that it may have, the first of which a new one gets.
        """
        wanted = [normal(name) for name in names]
        if self.there is None:
            return names[0]
        for name in wanted:
            for option in self.there:
                if normal(self.meaning(option)) == name:
                    return option
        for option, title in self.there.items():
            if normal(title) == wanted[0]:
                raise Unshowable(f"“{title}” still stands there for “{self.meaning(option)}”, which it was once called")
        return NEW + names[0]


@dataclass(frozen=True)
class Scene:
    """A record in its surroundings."""

    fields: Fields
    voc: Vocabulary
    refs: References
    zone: ZoneInfo

    def with_fields(self, fields: Fields) -> Scene:
        """The same surroundings with other fields."""
        return replace(self, fields=fields)

    def shelf(self, native: str) -> Shelf:
        """The options of a native field."""
        return Shelf(self.voc.there.get(native), self.voc.meant.get(native, {}))

    def elements(self, native: str) -> tuple[str, ...]:
        """The elements of a native set; `Unreadable` if it is none."""
        value = self.fields.get(native)
        if value is None:
            return ()
        if not isinstance(value, tuple) or not all(isinstance(element, str) for element in value):
            raise Unreadable(f"{native} is not a set of texts")
        return value


@dataclass(frozen=True)
class Heard:
    """What one field of a record says: the values it asserts and the native evidence for them, per cell."""

    cells: Mapping[Cell, frozenset[Value]]
    inputs: Mapping[Cell, object]
    waiting: frozenset[str] = frozenset()
    problem: str = ""


@dataclass(frozen=True)
class Wish:
    """What a field is asked to show: the cell that is meant, all that are wanted, and the moment of writing.

    ``fresh``: the record is just being made.
    """

    cell: Cell
    value: Value
    wanted: Mapping[Cell, Value]
    at: int
    fresh: bool = False


class Codec(Protocol):
    """One canonical field between its native fields and its cells."""

    natives: frozenset[str]

    def read(self, scene: Scene) -> Heard:
        """What the record says; raises `Unreadable` or `Waiting`. Every native field is there."""
        ...

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The native fields that make the record show the wish; raises `Unshowable` or `Pending`."""
        ...


def one(cell: Cell, value: Value, evidence: object) -> Heard:
    """A field with one value."""
    return Heard({cell: frozenset({value})}, {cell: evidence})
