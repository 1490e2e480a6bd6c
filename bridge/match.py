"""Who is who: records without an item are held against each other and against items without a record there (R16).

Pure. A pair must be unique on every side: the same kind and the same normalised title. Everything else is either
new, or ambiguous and left to a person.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mappings.canonical import normal

CLOSE = 0.85
"""From this similarity on two titles are shown to people as perhaps the same."""


@dataclass(frozen=True, order=True)
class Stray:
    """A record without an item. ``secret``: whether it is confidential; None where its platform cannot tell."""

    connector: str
    native_id: str
    kind: str
    title: str
    secret: bool | None = False


@dataclass(frozen=True)
class Free:
    """An item that has no record on some of the connectors. ``taken``: the connectors where it has one."""

    item: str
    kind: str
    title: str
    taken: frozenset[str]
    busy: bool = False
    secret: bool = False


@dataclass(frozen=True)
class Pairing:
    """Records that are one item; ``item`` is None if it is a new one."""

    strays: tuple[Stray, ...]
    item: str | None = None


@dataclass(frozen=True)
class Ambiguous:
    """Records that could be several items; ``candidates`` are titles and places for people."""

    strays: tuple[Stray, ...]
    candidates: tuple[str, ...]


def pair(strays: Iterable[Stray], free: Mapping[tuple[str, str], Sequence[Free]]) -> list[Pairing | Ambiguous]:
    """Decide for every stray. ``free`` has, by (kind, normal title), the living items with that title."""
    groups: dict[tuple[str, str], list[Stray]] = {}
    for stray in sorted(strays, key=lambda one: (one.connector, one.native_id)):
        groups.setdefault((stray.kind, normal(stray.title)), []).append(stray)
    decided: list[Pairing | Ambiguous] = []
    for key, group in sorted(groups.items()):
        decided += _decide_apart(group, free.get(key, ()))
    return decided


def _decide_apart(group: list[Stray], items: Sequence[Free]) -> list[Pairing | Ambiguous]:
    """What is confidential is never taken for what is known not to be (ADR 0021).

    What cannot tell goes with the others where these are all of one sort; else a person has to say.
    """
    known = {stray.secret for stray in group} | {item.secret for item in items}
    if not {True, False} <= known:
        return _decide(group, items)
    decided: list[Pairing | Ambiguous] = []
    for secret in (False, True):
        if alike := [one for one in group if one.secret is secret]:
            decided += _decide(alike, [one for one in items if one.secret is secret])
    if unsure := tuple(one for one in group if one.secret is None):
        decided.append(Ambiguous(unsure, tuple(f"{one.connector} {one.native_id}" for one in group)))
    return decided


def _decide(group: list[Stray], items: Sequence[Free]) -> list[Pairing | Ambiguous]:
    places = {stray.connector for stray in group}
    open_items = [item for item in items if not places <= item.taken]
    if not open_items and len(places) == 1:
        return [Pairing((stray,)) for stray in group]
    unique = len(group) == len(places) and len(open_items) <= 1
    if unique and not any(item.taken & places or item.busy for item in open_items):
        return [Pairing(tuple(group), open_items[0].item if open_items else None)]
    names = [f"{stray.connector} {stray.native_id}" for stray in group] + [item.item for item in open_items]
    return [Ambiguous(tuple(group), tuple(names))]


def likely(title: str, others: Iterable[str]) -> list[str]:
    """Titles that are close to this one without being equal: shown to people, never paired (R16)."""
    near = difflib.get_close_matches(normal(title), {normal(other): other for other in others}, n=3, cutoff=CLOSE)
    return [other for other in others if normal(other) in near and normal(other) != normal(title)]
