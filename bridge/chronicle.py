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
    """Fields that belong together must agree after merging (R12); what gives way is kept (R9)."""
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
    for id, cell in _circle(book, item.id, field, book.straight.setdefault(field, set())):
        path[(id, cell)] = book.item(id).cells[cell]
    if path:
        weakest = min(path, key=lambda edge: path[edge].key)
        owner = book.item(weakest[0])
        clash = cut(weakest[1], path, weakest, owner, station.run)
        journal(station, owner, weakest[1], clash.before, None, "edit", clash.rule)
        keep_conflict(book, station, owner, clash)
        book.touch(owner)


def _circle(book: Book, start: str, field: str, straight: set[str]) -> list[Edge]:
    """The edges of a circle that is reached from here; nothing if there is none. The dead hold nobody up."""
    way: list[Edge] = []
    on_way = {start: 0}
    stack = [] if start in straight else [iter(_edges(book, start, field))]
    while stack:
        for edge, target in stack[-1]:
            if target in on_way:
                return [*way[on_way[target] :], edge]
            if target not in straight:
                way.append(edge)
                on_way[target] = len(way)
                stack.append(iter(_edges(book, target, field)))
                break
        else:
            stack.pop()
            straight.add(on_way.popitem()[0])
            del way[-1:]
    return []


def _edges(book: Book, id: str, field: str) -> list[tuple[Edge, str]]:
    """The items that a living item refers to in this field, with the cell that says so."""
    if not book.knows(id) or book.item(id).dead:
        return []
    cells = sorted(book.item(id).cells.items())
    return [((id, c), base.value) for c, base in cells if field_of(c).name == field and isinstance(base.value, str)]
