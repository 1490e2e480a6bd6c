"""What happened, written down: the journal, the conflicts, and what must make sense together after merging.

Every change of a base passes through `offer`, so that no value changes without a line that says what, when, by
which platform and why, and no loser is dropped (R9).
"""

from __future__ import annotations

from bridge.book import Book, new_id
from bridge.merge import Candidate, Clash, Edge, cut, merge, settle
from bridge.state import NEVER, Assertion, Base, Conflict, Entry, Item, Side
from bridge.station import Station
from mappings.canonical import Cell, Value, field_of, preferred


def offer(station: Station, item: Item, candidate: Candidate) -> None:
    """Merge a candidate into the item, journal the change and keep the loser (R9)."""
    base = item.cells.get(candidate.cell, Base())
    merged, clashes = merge(base, candidate, station.run)
    for clash in clashes:
        keep_conflict(station.book, station, item, clash)
    if merged == base:
        return
    item.cells[candidate.cell] = merged
    if merged.value != base.value:
        why = clashes[0].rule if clashes else "changed there (R2)" if base.key != NEVER else "first seen there (R16)"
        journal(station, item, candidate.cell, base.value, merged.value, "edit", why)
    station.book.forget_conflicts(item, candidate.cell)
    station.book.touch(item)


def journal(station: Station, item: Item, cell: Cell, before: Value, after: Value, act: str, why: str) -> None:
    """Write down which cell changed from what to what, by which platform and why."""
    station.book.record(Entry(station.run, station.now, item.id, cell, before, after, station.name, act, why))


def keep_conflict(book: Book, station: Station, item: Item, clash: Clash) -> None:
    """Keep both sides of a conflict (R9)."""
    names = {binding.id: binding.name for binding in book.bindings.values()}

    def side(said: Assertion) -> Side:
        return Side(
            preferred(said.values), names.get(said.origin, said.origin), said.key.time, said.since, said.key.ref
        )

    book.record_conflict(
        Conflict(
            new_id(),
            station.run,
            station.now,
            item.id,
            clash.cell,
            clash.before,
            side(clash.winner),
            side(clash.loser),
            clash.rule,
        )
    )


def settle_groups(station: Station, item: Item) -> None:
    """Fields that belong together must agree after merging (R12)."""
    before = {cell: item.value(cell) for cell in item.cells}
    clashes = settle(item, station.run)
    for clash in clashes:
        journal(station, item, clash.cell, before[clash.cell], item.value(clash.cell), "edit", clash.rule)
        keep_conflict(station.book, station, item, clash)
    if clashes:
        station.book.touch(item)


def break_circle(station: Station, item: Item, field: str) -> None:
    """References of one field must not go round in a circle: the edge with the smallest key gives way (R13)."""
    book = station.book
    path: dict[Edge, Base] = {}
    trail = _circle(book, item.id, item.id, field, set())
    for id, cell in trail:
        path[(id, cell)] = book.item(id).cells[cell]
    if path:
        weakest = min(path, key=lambda edge: path[edge].key)
        owner = book.item(weakest[0])
        clash = cut(weakest[1], path, weakest, owner, station.run)
        journal(station, owner, weakest[1], clash.before, None, "edit", clash.rule)
        keep_conflict(book, station, owner, clash)
        book.touch(owner)


def _circle(book: Book, start: str, id: str, field: str, seen: set[str]) -> list[Edge]:
    """The edges of a way from an item back to itself; nothing if there is none. The dead hold nobody up."""
    if id in seen or book.item(id).dead:
        return []
    seen.add(id)
    for cell, base in sorted(book.item(id).cells.items()):
        if field_of(cell).name != field or not isinstance(base.value, str) or not book.knows(base.value):
            continue
        rest = [] if base.value == start else _circle(book, start, base.value, field, seen)
        if base.value == start or rest:
            return [(id, cell), *rest]
    return []
