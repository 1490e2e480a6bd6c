"""Candidates into the base, cell by cell. Pure: no clock, no ledger, no platform.

A *candidate* is a changed cell of a record that asks to become the base. Knowledge comes first, clocks second
(R2): the candidate's key was raised above what its link knew, the greatest key is the new base (R3), and a
conflict is a candidate that disagrees with a base it did not know. Whoever loses is read off the outcome, so
that the order in which sides are taken in does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import merge3

from bridge.state import NEVER, UNSAID, Assertion, Base, Item, Key
from mappings.canonical import GROUPS, Cell, Type, Value, alike, field_of, plain, preferred

WINDOW = 16
"""Words on one text that are kept until every link knows them; the oldest are folded for good beyond that."""


@dataclass(frozen=True)
class Candidate:
    """A changed cell: what it may mean, its (raised) key, and the newest base its link knew before.

    ``before`` is what the record showed until then; ``ancestor`` is that as text, to take differences from (R11).
    """

    cell: Cell
    values: frozenset[Value]
    key: Key
    known: Key
    origin: str
    before: Value = None
    ancestor: str | None = None
    since: int = 0
    company: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Clash:
    """Two sides met, neither knowing of the other. ``before`` is what the later one to arrive started from."""

    cell: Cell
    before: Value
    winner: Assertion
    loser: Assertion
    rule: str


def raised(key: Key, known: Key) -> Key:
    """A key above everything its link knew, so that no slow clock buries what was written with knowledge (R2)."""
    return key if key > known else Key(known.time + 1, key.rank, key.ref)


def merge(base: Base, candidate: Candidate, run: int) -> tuple[Base, tuple[Clash, ...]]:
    """The new base, and the conflicts: of two texts both can lose something to a third (R2, R3, R8, R11)."""
    said = Assertion(
        candidate.values, candidate.key, candidate.origin, candidate.ancestor, candidate.since, candidate.company
    )
    unseen = base.key.time > UNSAID and said.key.time > UNSAID and not base.key <= candidate.known
    if field_of(candidate.cell).type is Type.TEXT:
        merged, disagrees = _merge_text(base, said)
    else:
        disagrees = not any(alike(candidate.cell, base.value, value) for value in candidate.values)
        merged = _merge_values(candidate.cell, base, said)
    merged = replace(merged, run=run if said.key > base.key or merged.value != base.value else base.run)
    if not unseen or _both_stand(candidate.cell, base, merged, said):
        return merged, ()
    losses = _text_losses(candidate, base, merged, said)
    return merged, losses or ((_clash(candidate, base, merged, said),) if disagrees else ())


def _merge_values(cell: Cell, base: Base, said: Assertion) -> Base:
    if field_of(cell).type is not Type.CHOICE:
        if said.key <= base.key:
            return base
        (value,) = said.values
        if base.key != NEVER and alike(cell, base.value, value):
            value = base.value  # each platform keeps its spelling (R10)
        return _base(said, value)
    asserts = _greatest_per_set(base.asserts, said)
    top = asserts[0]
    values = top.values
    for other in asserts[1:]:
        values = values & other.values or values
    return _base(top, preferred(values), asserts)


def _base(said: Assertion, value: Value, asserts: tuple[Assertion, ...] = ()) -> Base:
    return Base(value, said.key, said.origin, 0, said.since, asserts, said.company)


def _greatest_per_set(asserts: tuple[Assertion, ...], said: Assertion) -> tuple[Assertion, ...]:
    """Every set that was asserted, with its greatest key, the greatest first (R8)."""
    newest = {one.values: one for one in asserts}
    rival = newest.get(said.values)
    if rival is None or said.key > rival.key:
        newest[said.values] = said
    return tuple(sorted(newest.values(), key=lambda one: one.key, reverse=True))


# ---- text (R11) -----------------------------------------------------------------------------------------------


def _text(said: Assertion) -> str:
    (value,) = said.values
    return plain(str(value or ""))


def weave(ancestor: str, mine: str, theirs: str) -> tuple[str, bool]:
    """Apply the difference between ``ancestor`` and ``mine`` to ``theirs``, line by line.

    Where both changed the same lines, mine stands. Returns the text, and whether that happened.
    """
    a, b, c = (text.split("\n") if text else [] for text in (ancestor, mine, theirs))
    lines: list[str] = []
    overlapped = False
    for region in merge3.Merge3(a, b, c).merge_regions():
        match region:
            case ("unchanged", start, end):
                lines += a[start:end]
            case ("a" | "same", start, end):
                lines += b[start:end]
            case ("b", start, end):
                lines += c[start:end]
            case ("conflict", _, _, start, end, other, last):
                overlapped = overlapped or b[start:end] != c[other:last]
                lines += b[start:end]
    return "\n".join(lines), overlapped


def _merge_text(base: Base, said: Assertion) -> tuple[Base, bool]:
    """Fold every side that not all links know yet, in the order of their keys: the same for every arrival."""
    before = plain(str(base.value or ""))
    mine = _text(said)
    if base.key == NEVER and said.ancestor is None:
        return _base(said, mine or None), False
    start = base.value if base.key != NEVER else said.ancestor or None  # what both sides started from
    root = Assertion(frozenset({start}), base.key, base.origin, None, base.since, base.company)
    sides = base.asserts or (root,)
    if said.ancestor is None:  # first contact: there is nothing to take a difference from
        wins = said.key > base.key
        differs = mine != before
        return (_base(said, mine or None) if wins else base), differs
    _, overlapped = weave(plain(said.ancestor), mine, plain(str(start or "")))
    first, rest = sides[0], sorted((*sides[1:], said), key=lambda one: one.key)
    value = _fold(_text(first), rest)
    buried = value == before and mine not in (before, plain(said.ancestor))  # sides that came later took all of it away
    if len(rest) >= WINDOW:
        first = Assertion(frozenset({_fold(_text(first), rest[:1])}), first.key, first.origin)
        rest = rest[1:]
    newest = max((base.key, base.origin, base.since), (said.key, said.origin, said.since))
    return Base(value or None, newest[0], newest[1], 0, newest[2], (first, *rest)), (
        overlapped and mine != _text(root)
    ) or buried


def _fold(text: str, sides: list[Assertion]) -> str:
    for side in sides:
        text, _ = weave(plain(side.ancestor), _text(side), text)
    return text


def compact(base: Base) -> Base:
    """A base whose value every link knows needs no memory of how it came about (text only)."""
    return replace(base, asserts=()) if any(one.ancestor is not None for one in base.asserts) else base


# ---- who lost (R9) --------------------------------------------------------------------------------------------


def _both_stand(cell: Cell, base: Base, merged: Base, said: Assertion) -> bool:
    """Whether the merged value is what both sides said, one of them coarsely: then nobody lost (R8)."""
    if field_of(cell).type is not Type.CHOICE:
        return False
    held = [one.values for one in base.asserts if base.value in one.values] or [frozenset({base.value})]
    return merged.value in said.values and all(merged.value in values for values in held)


def _text_losses(candidate: Candidate, base: Base, merged: Base, said: Assertion) -> tuple[Clash, ...]:
    """Whose lines are not in the outcome, of the text that was there and of the one that came (R11)."""
    if said.ancestor is None or field_of(candidate.cell).type is not Type.TEXT:
        return ()
    root, start, now = (_lines(base.asserts[0]) if base.asserts else set()), _split(said.ancestor), _split(merged.value)
    held = Assertion(frozenset({base.value}), base.key, base.origin, None, base.since, base.company)
    stands = Assertion(frozenset({merged.value}), merged.key, merged.origin, None, merged.since, merged.company)
    before, mine = _lines(held), _lines(said)
    known = start - mine  # what this side had seen and took away
    losers = []
    if (before - root - now - known) or ((root - before) & now - mine):
        losers.append(held)
    if (mine - start - now) or ((start - mine) & now):
        losers.append(said)
    return tuple(
        Clash(candidate.cell, candidate.before, stands, loser, _rule(stands.key, loser.key)) for loser in losers
    )


def _lines(said: Assertion) -> set[str]:
    return _split(_text(said))


def _split(text: Value) -> set[str]:
    return set(plain(str(text or "")).split("\n")) - {""}


def _clash(candidate: Candidate, base: Base, merged: Base, said: Assertion) -> Clash:
    cell = candidate.cell
    held = Assertion(frozenset({base.value}), base.key, base.origin, None, base.since, base.company)
    won = said.key > base.key
    winner, loser = (said, held) if won else (held, said)
    if field_of(cell).type is Type.CHOICE and won and alike(cell, merged.value, base.value):
        winner, loser = held, said
    return Clash(cell, candidate.before, winner, loser, _rule(winner.key, loser.key))


def _rule(winner: Key, loser: Key) -> str:
    if winner.time != loser.time:
        return "the later change wins (R3)"
    if winner.rank != loser.rank:
        return "same second: the order of the connectors decides (R3)"
    return "same second: the order of the records decides (R3)"


# ---- fields that belong together (R12) ------------------------------------------------------------------------


def settle(item: Item, run: int) -> list[Clash]:
    """Where the merged fields of a group contradict each other, the newest side's word decides for the group.

    What the newest side itself shows together is no contradiction: a person has it so. Changes the item's cells
    in place and returns what lost.
    """
    clashes = []
    for name in GROUPS:
        for cell in GROUPS[name]:
            clashes += _settle_one(item, name, cell, run)
    return clashes


def _settle_one(item: Item, group: str, cell: Cell, run: int) -> list[Clash]:
    """If ``cell`` contradicts a newer one of its group, give it the value that the newer side shows or implies."""
    mine = item.cells.get(cell)
    if mine is None or mine.key == NEVER:
        return []
    for other in GROUPS[group]:
        newer = item.cells.get(other)
        if other == cell or newer is None or newer.key <= mine.key:
            continue
        implied = _implied(item, group, cell, other, newer)
        if implied is _FINE or alike(cell, implied[0], mine.value):
            continue
        said = Assertion(frozenset({implied[0]}), newer.key, newer.origin, None, newer.since, newer.company)
        lost = Assertion(frozenset({mine.value}), mine.key, mine.origin, None, mine.since, mine.company)
        item.cells[cell] = _base(said, implied[0], (said,) if field_of(cell).type is Type.CHOICE else ())
        item.cells[cell] = replace(item.cells[cell], run=run)
        return [Clash(cell, mine.value, said, lost, f"{other} decides for its group (R12)")]
    return []


_FINE: tuple[Value, ...] = ()


def _implied(item: Item, group: str, cell: Cell, other: Cell, newer: Base) -> tuple[Value, ...]:
    """The value that ``cell`` takes because of the newer ``other``; nothing if the two do not contradict."""
    value = item.value(cell)
    if cell in newer.company and alike(cell, newer.company[cell], value):
        return _FINE
    if group == "dates":
        start, due = (value, newer.value) if cell == "start" else (newer.value, value)
        if start is None or due is None or str(start) <= str(due):
            return _FINE
        return (newer.company.get(cell),)
    return _implied_status(cell, other, value, newer)


def _implied_status(cell: Cell, other: Cell, value: Value, newer: Base) -> tuple[Value, ...]:
    match cell, other:
        case ("progress", "status") if newer.value == "done" and value not in (None, 100):
            return (100,)
        case ("progress", "status") if newer.value not in ("done", "cancelled") and value == 100:
            return (None,)
        case ("completed_on", "status") if newer.value != "done" and value is not None:
            return (None,)
        case ("status", "progress") if value == "done" and newer.value not in (None, 100):
            return ("in_progress",)
        case ("status", "completed_on") if value != "done" and newer.value is not None:
            return ("done",)
    return _FINE


# ---- references that go round in a circle (R13) -----------------------------------------------------------------

Edge = tuple[str, Cell]
"""An item and the cell by which it refers to another one."""


def cut(edge: Cell, circle: Mapping[Edge, Base], weakest: Edge, item: Item, run: int) -> Clash:
    """Break a circle at its edge with the smallest key; the newest edge is what it lost to. Changes the item."""
    newest = max(circle.values(), key=lambda base: base.key)
    lost = circle[weakest]
    said = Assertion(frozenset({None}), raised(newest.key, lost.key), newest.origin, None, newest.since)
    item.cells[edge] = replace(_base(said, None), run=run)
    loser = Assertion(frozenset({lost.value}), lost.key, lost.origin, None, lost.since)
    return Clash(edge, lost.value, said, loser, "the oldest link of a circle gives way (R13)")
