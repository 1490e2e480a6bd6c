"""Which items belong on which platform of a world, told without the program's own words: what oracles judge by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bridge.book import Book
from bridge.state import Item

if TYPE_CHECKING:
    from tests.world import Seat, World

PORTAL = "Portal"
"""The title of the measure that scopes ask about."""


def _labelled(world: World, item: Item) -> bool:
    return item.value("labels:presse") is not None


def _in_the_portal(world: World, item: Item) -> bool:
    """Whether it is the measure, or hangs below it."""
    items = {one.id: one for one in world.store.all_items()}
    waiting, seen = [item.id], set[str]()
    while waiting:
        one = items.get(waiting.pop())
        if one is None or one.id in seen:
            continue
        seen.add(one.id)
        if one.kind == "measure" and one.title.strip().casefold() == PORTAL.casefold():
            return True
        waiting += [str(one.value(cell)) for cell in ("parent", "milestone") if one.value(cell) is not None]
    return False


BORDERS: Mapping[str, Callable[[World, Item], bool]] = {
    "": lambda world, item: True,
    "label = Presse": _labelled,
    "nicht Schlagwort = presse": lambda world, item: not _labelled(world, item),
    "not status = done": lambda world, item: item.value("status") != "done",
    "Status in (geplant, in Umsetzung)": lambda world, item: item.value("status") in ("planned", "in_progress"),
    "visibility = public or label = presse": lambda world, item: (
        item.value("visibility") == "public" or _labelled(world, item)
    ),
    "Maßnahme = Portal": _in_the_portal,
    "not measure = portal": lambda world, item: not _in_the_portal(world, item),
}
"""Scopes, each with what it means."""


def belongs(world: World, platform: str, item: Item) -> bool:
    """Whether the settings of today let an item be shown there."""
    seats = [seat for seat in world.seats.values() if seat.platform.name == platform]
    secret = item.value("visibility") == "confidential"
    return all(_admits(world, seat, item) and (seat.fence.confidential or not secret) for seat in seats)


def _admits(world: World, seat: Seat, item: Item) -> bool:
    """Whether a scope holds for an item; one that is not told here is believed."""
    if seat.told in BORDERS:
        return BORDERS[seat.told](world, item)
    return seat.fence.admits(Book(world.store, dry=True), item)
