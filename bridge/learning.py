"""What links come to know at the end of a pass, and what need not be remembered any more (R2, R11)."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.book import Book
from bridge.merge import compact
from bridge.state import LIFE, NEVER, Link, LinkState
from bridge.station import Station
from mappings.canonical import Type, field_of


def learn(book: Book, stations: Mapping[str, Station], run: int) -> None:
    """Links that were read come to know the bases that they show, if an earlier pass took those in (R2)."""
    for link in book.flagged("behind"):
        station = stations.get(link.connector)
        if station is None or link.state is not LinkState.LIVE or (link.problem and "" in link.parked):
            continue  # of a record that cannot be read nobody knows what it shows
        if station.whole or link.native_id in station.read_records:
            _learn(station, link, run)


def _learn(station: Station, link: Link, run: int) -> None:
    item = station.book.item(link.item)
    shown = station.read(link.shadow)
    behind = False
    for cell, base in item.cells.items():
        if link.known.get(cell, NEVER) >= base.key:
            continue
        if base.run >= run:
            behind = True
            continue
        clean = station.clean(link, shown, cell, base.value)
        settled = clean or not link.dirty or cell in link.parked
        if clean or (settled and not station.peer.read_only):  # where nothing is written nothing was offered
            link.offered[cell] = max(link.offered.get(cell, NEVER), base.key)
        if shown.asserted(cell) is None:
            continue  # nobody can be shown it there (R7); that is no reason to outlive a delete
        if station.translator.shows(shown, cell, base.value):
            link.known[cell] = base.key
        elif not settled:
            behind = True
    if link.archived == item.dead:
        link.known[LIFE] = max(link.known.get(LIFE, NEVER), item.life_key)
    elif not item.dead:
        behind = True  # it is still to be taken out of the archive there
    link.behind = behind
    station.book.keep_link(link)


def forget_how(book: Book) -> None:
    """Texts that every link knows need no memory of how they came about (R11)."""
    for item in book.loaded_items():
        links = [link for link in book.links_of(item.id) if link.state is not LinkState.RETIRED]
        if any(link.dirty or link.behind for link in links):
            continue
        for cell, base in item.cells.items():
            if field_of(cell).type is Type.TEXT and base.asserts:
                item.cells[cell] = compact(base)
                book.keep_item(item)
