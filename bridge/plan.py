"""What is to be written so that every link is clean. Pure: it reads items and links, and changes neither.

`work` says for one link what is missing there: native fields to send, and why some cells cannot be sent yet
(pending, R13), cannot be shown at all (R7) or are better left alone (R26). `wave` chooses which operations go out
next: containers before what hangs on them, records before the references between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bridge import release
from bridge.state import LIFE, NEVER, Item, Key, Link, LinkState
from bridge.station import Station
from connectors.base import Fields
from mappings.canonical import Cell, Kind, Type, Value, field_of, preferred
from mappings.translate import Reading

FUSE = 10
"""Writes of one cell on one link within a day before two robots are assumed to fight (R26)."""

DAY = 86_400


@dataclass(frozen=True)
class Operation:
    """One create, update, archive, unarchive, delete or release, with the cells it stands for and the reason.

    ``keys`` also has cells that the platform cannot hold: nothing more can be shown there (R7), so a delete there
    carries them. ``harm`` is what the guard counts it as: "destroy", "create", "rewrite" or "". ``waits_on`` are
    items whose record should exist first, of a delete those whose record should be gone first.
    """

    kind: str
    connector: str
    link: str
    item: str
    title: str
    fields: Fields
    cells: Mapping[Cell, Value]
    keys: Mapping[Cell, Key]
    harm: str
    reason: str
    waits_on: frozenset[str] = frozenset()
    before: Mapping[Cell, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What one link needs. ``parked`` are reasons per cell; ``pending`` are items (R13); ``locked`` are cells (R7)."""

    operation: Operation | None = None
    pending: frozenset[str] = frozenset()
    parked: Mapping[Cell, str] = field(default_factory=dict)
    settled_archive: bool | None = None
    locked: frozenset[Cell] = frozenset()


def work(station: Station, link: Link, item: Item) -> Work:
    """What is to be written on one link."""
    if link.state in (LinkState.RETIRED, LinkState.FROZEN):
        return Work()
    leaves = not item.dead and not station.admits(item)
    if station.peer.read_only:
        return _release(station, link, item) if leaves and link.state is LinkState.LIVE else Work()
    if link.state is LinkState.WANTED:
        return Work() if item.dead or leaves or not station.holds(item) else _create(station, link, item)
    if link.problem and "" in link.parked:
        return Work(parked={"": link.problem})  # it cannot be read at the moment
    refusal = link.memo.get(LIFE)
    if refusal is not None and refusal.wanted == ("archive" if item.dead or leaves else "unarchive"):
        return Work(parked={"": refusal.reason})
    if leaves:
        return _release(station, link, item)
    reading = station.read(link.shadow)
    if item.dead:
        return _archive(station, link, item, reading)
    if link.archived:
        back = station.translator.unarchive()
        if back and reading.archived:
            reason = "it belongs to this connector again" if link.released else "lives again"
            return Work(_operation(station, link, item, "unarchive", back, reading, reason=reason))
        return _update(station, link, item, reading, settled_archive=False)
    return _update(station, link, item, reading)


def dirty_cells(station: Station, link: Link, item: Item, reading: Reading) -> dict[Cell, Value]:
    """Cells whose base the record does not show."""
    return {
        cell: base.value
        for cell, base in item.cells.items()
        if base.key != NEVER and not station.clean(link, reading, cell, base.value)
    }


def _update(station: Station, link: Link, item: Item, reading: Reading, settled_archive: bool | None = None) -> Work:
    wanted, parked = {}, {}
    for cell, value in dirty_cells(station, link, item, reading).items():
        reason = _leave_alone(station, link, item, cell)
        if reason:
            parked[cell] = reason
        else:
            wanted[cell] = value
    if not wanted:
        return Work(parked=parked, settled_archive=settled_archive)
    if link.id in station.singly:
        first = field_of(min(wanted)).name
        wanted = {cell: value for cell, value in wanted.items() if field_of(cell).name == first}
    writing = station.translator.write(
        wanted, link.shadow, station.vocabulary, station.refs, _moment(item, station.now), link.locked
    )
    pending = frozenset(writing.pending.values())
    parked |= writing.unshowable
    if not writing.fields:
        return Work(None, pending, parked, settled_archive, writing.locked)
    cells = {cell: wanted[cell] for cell in wanted if cell in writing.shown}
    operation = Operation(
        "update",
        station.id,
        link.id,
        item.id,
        item.title,
        writing.fields,
        cells,
        {cell: item.key(cell) for cell in cells},
        _harm(reading, cells),
        _reason(station, item, cells),
        before={cell: _shown_value(reading, cell) for cell in cells},
    )
    return Work(operation, pending, parked, settled_archive, writing.locked)


def _leave_alone(station: Station, link: Link, item: Item, cell: Cell) -> str:
    """Why a cell is not written although the record shows something else; "" if it is."""
    if item.key(cell) in link.replaced.get(cell, ()):
        return "this platform keeps replacing the value: change it there, or find out what replaces it"
    day, writes = link.fuse.get(cell, (0, 0))
    if day == station.now // DAY and writes >= FUSE:
        return f"written {writes} times today: two programs seem to fight over it; it is written again tomorrow"
    if cell == "title" and link.problem:
        return link.problem
    return station.left_alone(link, cell)


def _create(station: Station, link: Link, item: Item) -> Work:
    reason = station.left_alone(link, "")
    if reason:
        return Work(parked={"": reason})
    cells = {cell: base.value for cell, base in item.cells.items() if base.key != NEVER}
    writing = station.translator.create(
        Kind(item.kind), cells, station.vocabulary, station.refs, _moment(item, station.now)
    )
    if "title" in writing.unshowable:
        return Work(parked={"": writing.unshowable["title"]})
    takes = station.abilities.create_fields
    fields = {n: v for n, v in writing.fields.items() if takes is None or n in takes}
    shown = station.read({**station.abilities.defaults, **fields})
    sure = [cell for cell, value in cells.items() if station.translator.shows(shown, cell, value)]
    told = {cell: cells[cell] for cell in sure if field_of(cell).name in shown.carried}
    operation = Operation(
        "create",
        station.id,
        link.id,
        item.id,
        item.title,
        fields,
        told,
        {**{cell: item.key(cell) for cell in sure}, LIFE: item.life_key},
        "create",
        "new elsewhere",
        frozenset(id for cell, id in writing.pending.items() if field_of(cell).type is Type.REFERENCE),
    )
    return Work(operation, frozenset(writing.pending.values()))


def _release(station: Station, link: Link, item: Item) -> Work:
    """The item does not belong there any more (ADR 0021): its record is archived, deleted or left, by setting.

    What is archived is let go of in a further step, "release", for which nothing is sent.
    """
    reason = station.left_alone(link, "")
    if reason:
        return Work(parked={"": reason})
    reading, (way, under) = station.read(link.shadow), release.way(station, link, item)
    fields = station.translator.archive() if way == "archive" else {}
    if way == "archive" and (link.archived or reading.archived or not fields):
        way, fields = "leave", {}
    kind = "release" if way == "leave" else way
    operation = _operation(station, link, item, kind, fields, reading, reason=release.why(station, item))
    return Work(replace(operation, waits_on=under))


def _archive(station: Station, link: Link, item: Item, reading: Reading) -> Work:
    if link.archived:
        return Work()
    if reading.archived:
        return Work(settled_archive=True)
    fields = station.translator.archive()
    return Work(_operation(station, link, item, "archive", fields, reading, reason="deleted elsewhere"))


def _operation(
    station: Station, link: Link, item: Item, kind: str, fields: Fields, reading: Reading, *, reason: str
) -> Operation:
    after = station.read({**link.shadow, **fields})
    moved = station.translator.changes(reading, after)
    cells: dict[Cell, Value] = {cell: next(iter(values)) for cell, values in moved.items()}
    keys = {cell: link.known.get(cell, NEVER) for cell in cells}
    harm = {"archive": "destroy", "delete": "destroy", "unarchive": "create" if link.released else ""}.get(kind, "")
    return Operation(
        kind,
        station.id,
        link.id,
        item.id,
        item.title,
        fields,
        cells,
        {**keys, LIFE: item.life_key},
        harm,
        reason,
    )


def _moment(item: Item, now: int) -> int:
    """The moment that stands for "done" where the platform wants one and nobody named the day."""
    return item.key("status").time if item.key("status") != NEVER else now


def _shown_value(reading: Reading, cell: Cell) -> Value:
    values = reading.asserted(cell)
    return preferred(values) if values else None


def _harm(reading: Reading, cells: Mapping[Cell, Value]) -> str:
    """Closing a task and blanking a field count as destruction, everything else as rewriting (R23)."""
    for cell, value in cells.items():
        shown = reading.asserted(cell) or frozenset({None})
        if cell == "status" and value in ("done", "cancelled") and not shown & {"done", "cancelled"}:
            return "destroy"
        if ":" not in cell and value is None and shown != {None}:
            return "destroy"
    return "rewrite"


def _reason(station: Station, item: Item, cells: Mapping[Cell, Value]) -> str:
    names = {binding.id: binding.name for binding in station.book.bindings.values()}
    origins = sorted({names.get(item.cells[cell].origin, "") for cell in cells} - {""})
    return "changed in " + ", ".join(origins) if origins else "differs from the agreed value"


# ---- the order of writing -------------------------------------------------------------------------------------


def wave(operations: Iterable[Operation]) -> list[Operation]:
    """The operations that go out next: creates that wait on nothing, then all creates, then everything else.

    Creates go container first, deletes container last; dependencies follow, and so does a reference in a cycle (R13).
    """
    creates: list[Operation] = []
    rest: list[Operation] = []
    for operation in operations:
        (creates if operation.kind == "create" else rest).append(operation)
    coming = {(operation.connector, operation.item) for operation in creates}
    ready = [o for o in creates if not any((o.connector, item) in coming for item in o.waits_on)]
    going = {(operation.connector, operation.item) for operation in rest if operation.kind == "delete"}
    free = [o for o in rest if o.kind != "delete" or not any((o.connector, item) in going for item in o.waits_on)]
    return ready or creates or free or rest
