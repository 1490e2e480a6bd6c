"""Shadows read anew: another mapping, references that are known by now, labels that mean more (R7, R10, R31)."""

from __future__ import annotations

from bridge import chronicle, intake
from bridge.merge import Candidate, raised
from bridge.state import LIFE, NEVER, Link
from bridge.station import Station, meant
from mappings.canonical import Cell, Type, Value, cell_of, field_of


def take_again(station: Station, link: Link) -> None:
    """Read a shadow with today's mapping and references: what it newly says follows first contact's rules (R7, R31)."""
    reading = station.read(link.shadow)
    item = station.book.item(link.item)
    was_dead = item.dead
    for cell, values in reading.cells.items():
        known = link.known.get(cell, NEVER)
        waited = any(link.shadow.get(name) in link.waits_for for name in station.translator.natives(cell))
        if (known != NEVER and not waited) or reading.silent(cell):
            continue
        key = raised(station.key(link.modified_at, link.native_id), known)
        company = station.company(cell, reading)
        values = meant(values) if field_of(cell).type is Type.REFERENCE else values
        chronicle.offer(
            station, item, Candidate(cell, values, key, known, station.id, None, None, link.read_at, company)
        )
        link.known[cell] = key
    intake.revive_if_it_lives(station, item, was_dead)
    link.waits_for = reading.waiting
    link.dirty = True
    station.book.keep_link(link)


def forget_absent(station: Station, link: Link) -> None:
    """What a mapping does not read any more nobody there is known to have seen, should it ever be read again (R31)."""
    reading = station.read(link.shadow)
    for cell in [cell for cell in link.known if cell != LIFE and reading.asserted(cell) is None]:
        link.offered[cell] = max(link.offered.get(cell, NEVER), link.known.pop(cell))


def take_standing(station: Station, link: Link) -> None:
    """A label that is there already has come to stand for a milestone that was just made, or named so (R10)."""
    titles = station.bind_milestones(link.shadow)
    if not titles:
        return
    item, reading = station.book.item(link.item), station.read(link.shadow)
    now: dict[Cell, frozenset[Value]] = {cell_of("labels", title): frozenset({None}) for title in titles}
    now = {cell: values for cell, values in now.items() if item.value(cell) is not None}
    milestone = reading.asserted("milestone")
    if milestone and item.value("milestone") not in milestone:
        now["milestone"] = milestone
    for cell, values in now.items():
        key = raised(station.key(link.modified_at, link.native_id), item.key(cell))
        chronicle.offer(station, item, Candidate(cell, values, key, item.key(cell), station.id, since=link.read_at))
        link.known[cell] = key
    station.book.keep_link(link)
