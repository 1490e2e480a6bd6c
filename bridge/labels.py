"""A label that stands for a milestone is called like it: it is renamed with it (R10).

Only a label that is still called what it was when it came to stand for the milestone: one to which people gave a name
of its own keeps it. Plain elements (categories of iCalendar) keep their text; both names are read. A rename touches no
record, and may be sent again after a lost answer, so it needs no intent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bridge import chronicle
from bridge.state import Item, Link, LinkState
from bridge.station import Station
from connectors.base import RenamesOptions
from connectors.errors import PlatformError
from mappings.canonical import Kind, cell_of


def foretold(stations: Iterable[Station]) -> list[str]:
    """What `follow` is going to do, for people."""
    return [
        f"{station.name}: the label “{before}” is called “{item.title}” from now on, like its milestone"
        for station in stations
        for item, _, _, before in _behind(station)
    ]


def follow(stations: Iterable[Station], held: Callable[[], bool]) -> None:
    """Rename the labels of milestones that were retitled, as soon as their own records show the new title."""
    for station in stations:
        for item, link, option, before in list(_behind(station)):
            if not station.failed and not link.dirty and held():
                _rename(station, item, option, before)


def _behind(station: Station) -> Iterator[tuple[Item, Link, str, str]]:
    """Milestones of this pass that are called otherwise than their labels, with those and their titles."""
    name, binding = station.translator.milestone_native, station.binding
    if not name or station.peer.read_only or not isinstance(station.connector, RenamesOptions):
        return
    there, meant = binding.there.get(name, {}), binding.meant.get(name, {})
    for option, stands_for in binding.bound.get(name, {}).items():
        today = there.get(option)
        item = next((one for one in station.book.loaded_items() if one.id == stands_for), None)
        if item is None or item.kind != Kind.MILESTONE or item.dead or today is None or not station.admits(item):
            continue  # what does not belong there is not named there either (ADR 0021)
        if today == item.title and meant.get(option) != today:
            meant[option] = today  # called alike again, by people or by a rename whose answer was lost
            station.book.keep_binding(binding)
        link = station.book.link_of(item.id, station.id)
        if link is not None and link.state is LinkState.LIVE and meant.get(option) == today != item.title:
            yield item, link, option, today


def _rename(station: Station, item: Item, option: str, before: str) -> None:
    name, binding = station.translator.milestone_native, station.binding
    assert name is not None
    assert isinstance(station.connector, RenamesOptions)
    try:
        after = station.connector.rename_option(name, option, item.title)[name][option]
    except PlatformError:
        return  # it keeps its old name, which is read as before
    binding.there[name][option] = binding.meant[name][option] = after
    station.book.keep_binding(binding)
    why = "a label is called like its milestone (R10)"
    chronicle.journal(station, item, cell_of("labels", before), before, after, "write", why)
