"""References that vanished with what they pointed to: no edit of anybody (R13, ADR 0021).

Where a record was archived or deleted because its item left a connector's scope, the platform may clear what refers to
it. Nobody meant that: such a reference is absent there, and stands everywhere else.
"""

from __future__ import annotations

from bridge.state import LinkState
from bridge.station import Station
from mappings.canonical import Cell, Type, Value, element_of, field_of
from mappings.scene import STALE
from mappings.translate import Reading

LEFT, ARCHIVED, DELETED = "left", "archived", "deleted"
"""What became of a record that was released."""


def without_echoes(
    station: Station, before: Reading, edits: dict[Cell, frozenset[Value]]
) -> dict[Cell, frozenset[Value]]:
    """Edits without references that vanished because we archived or deleted what they point to: nobody cleared them."""
    return {
        cell: values
        for cell, values in edits.items()
        if values != {None} or not _pointed_outside(station, before, cell)
    }


def _pointed_outside(station: Station, before: Reading, cell: Cell) -> bool:
    kind = field_of(cell).type
    if kind is Type.REFERENCES:
        return _is_taken_away(station, element_of(cell))
    if kind is not Type.REFERENCE or (cell == "milestone" and station.translator.milestone_native):
        return False
    return any(_is_taken_away(station, str(target)) for target in before.asserted(cell) or () if target is not None)


def _is_taken_away(station: Station, target: str) -> bool:
    links = [link for link in station.book.links_of(target.removeprefix(STALE)) if link.connector == station.id]
    if any(link.state is LinkState.LIVE for link in links):
        return False
    return any(link.released in (ARCHIVED, DELETED) for link in links)
