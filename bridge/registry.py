"""Which kinds of platform there are: the entry points of the group ``strategy_bridge.connectors``.

The built-in ones use the same door as a third party's; they are named here once more so that a source checkout
works without being installed. Nothing is imported until a type is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from connectors.base import ConnectorType

GROUP = "strategy_bridge.connectors"

BUILT_IN = {
    "caldav": "connectors.caldav:TYPE",
    "gitlab": "connectors.gitlab:TYPE",
    "memory": "connectors.memory:TYPE",
    "nextcloud-deck": "connectors.nextcloud_deck:TYPE",
    "openproject": "connectors.openproject:TYPE",
    "redmine": "connectors.redmine:TYPE",
    "workbook": "connectors.workbook:TYPE",
}


class TypeBroken(Exception):
    """A registered connector cannot be imported, or is no `ConnectorType`."""


def _registered() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def type_names() -> tuple[str, ...]:
    """The names of all kinds of platform that are installed."""
    return tuple(sorted({*_registered(), *BUILT_IN}))


def load_type(name: str) -> ConnectorType:
    """The type of that name. Raises KeyError when there is none, TypeBroken when it cannot be used."""
    entry = EntryPoint(name, BUILT_IN[name], GROUP) if name in BUILT_IN else _registered()[name]
    try:
        loaded = entry.load()
    except Exception as error:  # a third party's module may raise anything at all while it is imported
        raise TypeBroken(f"{entry.value}: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, ConnectorType):
        raise TypeBroken(f"{entry.value} is no ConnectorType")
    return loaded
