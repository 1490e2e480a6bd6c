"""When a field really changed, where the platform keeps its history (R4).

The time of a record is that of its last change, whatever that was: a comment makes an old edit look new. Where two
people disagree without knowing of each other, their platforms are therefore asked when the very field changed. That
costs requests, so nobody else is asked; and it is done before anything of the pass is taken in, of all sides at
once, so that the order in which they are taken in does not matter. What was stored keeps the time it was stored with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bridge import intake
from bridge.merge import Candidate, merge
from bridge.state import Base, Item, Link, LinkState
from bridge.station import Station, unforeseen
from connectors.base import Changes, HasHistory, Record, Ref
from connectors.errors import PlatformError
from mappings.canonical import Cell

Told = tuple[Station, Link, Record]
"""A record that was read, with its link."""

Times = dict[tuple[str, Ref, float | None, frozenset[str]], Mapping[str, float]]
"""What was asked in this pass: connector, record, its time and native fields; and what the history told of them."""

MOST = 200
"""Records of which the history is asked in one go: when more disagree, nobody edited them one by one."""

SLACK = 2.0
"""Seconds by which a history may contradict what we know: clocks are known to a second or so."""


def ask_all(stations: Iterable[Station], changes: Mapping[str, Changes], times: Times) -> None:
    """Ask for all records of this pass that have an item, before any of them is taken in."""
    ask([told for station in stations for told in _linked(station, changes[station.name])], times)


def _linked(station: Station, changes: Changes) -> Iterator[Told]:
    station.absorb(changes.options)
    station.book.load_records(station.id, [record.ref.native_id for record in changes.records])
    for record in changes.records:
        link = station.book.link_at(station.id, record.ref.native_id)
        if link is None or link.state is LinkState.RETIRED or link.released or link.born != record.ref.born:
            continue
        if record.fields is not None and not record.problem and record.fields != link.shadow:
            yield station, link, record


def ask(told: Sequence[Told], times: Times) -> None:
    """Ask the histories of those of these records that disagree with each other or with a base they did not know."""
    by_item: dict[str, list[Told]] = {}
    for one in told:
        by_item.setdefault(one[1].item, []).append(one)
    asked = 0
    for item, sides in sorted(by_item.items()):
        link = sides[0][1]
        if len(sides) == 1 and link.state is LinkState.LIVE and not link.behind:
            continue  # whoever changed it had been shown everything
        offers = [list(intake.candidates(*side)) for side in sides]
        cells = contested(sides[0][0].book.item(item), [one for offered in offers for one in offered])
        for side, offered in zip(sides, offers, strict=True):
            mine = [one.cell for one in offered if one.cell in cells]
            if mine and asked < MOST and isinstance(side[0].connector, HasHistory):
                asked += 1
                _learn(side, mine, times)


def contested(item: Item, candidates: Iterable[Candidate]) -> frozenset[Cell]:
    """The cells on which these would be in conflict, with each other or with the base, whatever their times."""
    bases, found = dict(item.cells), set()
    for one in sorted(candidates, key=lambda one: one.key):
        bases[one.cell], clashes = merge(bases.get(one.cell, Base()), one, run=0)
        if clashes:
            found.add(one.cell)
    return frozenset(found)


def _learn(side: Told, cells: Iterable[Cell], times: Times) -> None:
    """Remember the exact times of these cells for this pass."""
    station, link, record = side
    shown = record.fields or {}
    changed = {name for name in shown if shown[name] != link.shadow.get(name)}
    natives = {cell: station.translator.natives(cell) & changed for cell in cells}
    told = _told(station, record, frozenset().union(*natives.values()), times)
    for cell, names in natives.items():
        if names and names <= told.keys():
            moment = max(told[name] for name in names)
            if believable(moment, record.modified_at, link.read_at, station.local(moment)):
                at = moment if record.modified_at is None else min(moment, record.modified_at)
                station.exact[(link.native_id, cell)] = shown, at


def believable(moment: float, modified_at: float | None, read_at: float, local: float) -> bool:
    """Whether a moment lies between the last look at the old value and the change of the record (R4).

    Earlier, the history does not know of this change; later, it tells of another one that we have not read yet.
    ``moment`` and ``modified_at`` are by the server's clock, ``read_at`` and ``local`` (the moment) by ours.
    """
    return read_at - SLACK <= local and (modified_at is None or moment <= modified_at + SLACK)


def _told(station: Station, record: Record, names: frozenset[str], times: Times) -> Mapping[str, float]:
    """What the history tells of these fields; one that does not answer changes nothing, and is not asked again."""
    connector, about = station.connector, (station.name, record.ref, record.modified_at, names)
    if about not in times and names and not station.mute and isinstance(connector, HasHistory):
        try:
            times[about] = connector.times(record.ref, names)
        except PlatformError:
            station.mute = True
        except Exception as error:  # a fault of the connector costs only what it was to tell (R27)
            station.mute, station.trouble = True, unforeseen(error)
    return times.get(about, {})
