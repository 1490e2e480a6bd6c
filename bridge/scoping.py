"""Who belongs where: a connector's scope, and whether it is fit for what is confidential (ADR 0021).

A *fence* is both, as the settings say it. It looks at an item's agreed values, at the values that a record would give
it, and, for a scope that asks, at what it is part of: parents and milestones, all the way up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.book import Book
from bridge.scope import ABOVE, EVERYTHING, Facts, Scope, looks_up
from bridge.state import Entry, Item, LinkState
from mappings.canonical import CONFIDENTIAL, INTERNAL, Cell, Value, element_of, field_of, normal, preferred
from mappings.scene import STALE
from mappings.translate import Reading

UPWARDS = ("parent", "milestone")
"""The references by which an item is part of another."""

Said = Mapping[Cell, frozenset[Value]]


@dataclass(frozen=True)
class Fence:
    """What a connector is meant for: its scope, and whether it is fit for what is confidential."""

    scope: Scope = EVERYTHING
    confidential: bool = False

    @property
    def looks_up(self) -> bool:
        """Whether it asks what an item is part of."""
        return looks_up(self.scope)

    def admits(self, book: Book, item: Item, said: Said | None = None) -> bool:
        """Whether an item belongs to the connector; ``said``: whether it would, if these values were agreed on."""
        if self.scope == EVERYTHING and said is None:
            return self.confidential or item.value("visibility") != CONFIDENTIAL
        values = {cell: base.value for cell, base in item.cells.items()}
        values |= {cell: preferred(meant) for cell, meant in (said or {}).items()}
        return self._holds(book, item.kind, values)

    def admits_record(self, book: Book, reading: Reading) -> bool:
        """Whether a record without an item belongs to the connector, by what it says itself."""
        return self._holds(book, reading.kind.value, {cell: preferred(meant) for cell, meant in reading.cells.items()})

    def _holds(self, book: Book, kind: str, values: Mapping[Cell, Value]) -> bool:
        facts = Facts(
            kind,
            str(values.get("status") or "unknown"),
            str(values.get("visibility") or INTERNAL),
            _elements("labels", values),
            _elements("responsible", values),
            lambda: _above(book, kind, values),
        )
        return (self.confidential or facts.visibility != CONFIDENTIAL) and self.scope.holds(facts)


OPEN = Fence()
"""Where nothing is set: everything that is not confidential."""


def _elements(name: str, values: Mapping[Cell, Value]) -> frozenset[str]:
    return frozenset(
        element_of(cell) for cell, value in values.items() if value is not None and field_of(cell).name == name
    )


def _above(book: Book, kind: str, values: Mapping[Cell, Value]) -> dict[str, frozenset[str]]:
    """By kind, the titles of the item itself and of all that it is part of."""
    found: dict[str, set[str]] = {kind: {normal(str(values.get("title") or ""))}}
    waiting, seen = _targets(values.get), set[str]()
    while waiting:
        id = waiting.pop()
        if id in seen or not book.knows(id):
            continue
        seen.add(id)
        item = book.item(id)
        found.setdefault(item.kind, set()).add(normal(item.title))
        waiting += _targets(item.value)
    return {kind: frozenset(titles) for kind, titles in found.items()}


def _targets(value: Callable[[Cell], Value]) -> list[str]:
    return [str(target).removeprefix(STALE) for cell in UPWARDS if (target := value(cell)) is not None]


def follow(book: Book, connectors: Iterable[str], entries: Sequence[Entry]) -> None:
    """What is part of an item whose title or place changed may belong elsewhere now: its links there are dirty.

    Costs a look at every item, for connectors whose scope asks what an item is part of, and then only.
    """
    asking = frozenset(connectors)
    moved = {entry.item for entry in entries if _moves(book, entry)} if asking else set()
    if not moved:
        return
    parts: dict[str, list[str]] = {}
    for id in dict.fromkeys([*(item.id for item in book.store.all_items()), *(i.id for i in book.loaded_items())]):
        for target in _targets(book.item(id).value):
            parts.setdefault(target, []).append(id)
    found, waiting = set[str](), list(moved)
    while waiting:
        new = [id for id in parts.get(waiting.pop(), ()) if id not in found]
        found.update(new)
        waiting += new
    book.load_links_of(sorted(found))
    for link in [link for id in sorted(found) for link in book.links_of(id)]:
        if link.connector in asking and link.state is not LinkState.RETIRED:
            link.dirty = True
            book.keep_link(link)


def _moves(book: Book, entry: Entry) -> bool:
    """Whether a change may matter to what is part of the item. Of a new item nothing is part yet."""
    if entry.act != "edit" or entry.cell not in ("title", *UPWARDS):
        return False
    return entry.cell != "title" or (entry.before is not None and book.item(entry.item).kind in _KINDS)


_KINDS = frozenset(kind.value for kind in ABOVE.values())
