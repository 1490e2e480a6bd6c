"""Who may come in again: released records, and milestones that are only labels somewhere (ADR 0021)."""

from __future__ import annotations

from collections.abc import Mapping

from bridge import probes, release
from bridge.book import Book
from bridge.state import Link, LinkState
from bridge.station import Station


def let_in(book: Book, stations: Mapping[str, Station]) -> None:
    """Released records whose item belongs there again, or that people changed, are asked for."""
    for link in book.flagged("dirty"):
        station = stations.get(link.connector)
        if station is not None and not station.failed and knocks(station, link):
            probes.let_in(station, link)
    _name_again(book, stations)


def knocks(station: Station, link: Link) -> bool:
    """Whether a released record may have to be taken back."""
    return release.is_released(link) and (link.knocks or station.admits(station.book.item(link.item)))


def _name_again(book: Book, stations: Mapping[str, Station]) -> None:
    """Milestones that are only labels somewhere have no record that could be made: what waits for them is told."""
    named: dict[str, set[str]] = {}
    for link in book.flagged("dirty"):
        station, item = stations.get(link.connector), book.item(link.item)
        if station and link.state is LinkState.WANTED and not station.holds(item) and station.admits(item):
            named.setdefault(link.connector, set()).add(item.id)
    for link in book.flagged("pending") if named else ():
        if not link.pending.isdisjoint(named.get(link.connector, ())):
            link.dirty = True
            book.keep_link(link)
