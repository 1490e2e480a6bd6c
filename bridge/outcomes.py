"""What a pass did or would do, and what waits for a person: as views for people and as JSON for machines.

Connectors come in the order of the settings, steps by kind and title: two plans of the same work read the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge import match, views
from bridge.answers import Names, order
from bridge.plan import Operation
from bridge.state import Item, LinkState
from bridge.sync import Outcome
from mappings.canonical import Kind, is_empty, normal

_KINDS = [kind.value for kind in Kind]


def names_of(outcome: Outcome) -> Names:
    """The names in the book of a pass that is still to be agreed to."""
    assert outcome.book is not None
    return Names(outcome.book.store, outcome.book)


def operations(outcome: Outcome, *, held: bool = True) -> list[Operation]:
    """Everything that would be written, as people read it; without ``held`` only what nobody has to agree to."""
    waiting = set() if held else {one.connector for one in outcome.held}
    return _sorted(outcome, (one for one in outcome.operations if one.connector not in waiting))


def _sorted(outcome: Outcome, found: Iterable[Operation]) -> list[Operation]:
    names, places = names_of(outcome), list(outcome.connectors)

    def key(one: Operation) -> tuple[int, int, str, str]:
        return (
            places.index(names.connector(one.connector)),
            _KINDS.index(names.kind(one.item)),
            normal(one.title),
            one.link,
        )

    return sorted(found, key=key)


def step(names: Names, operation: Operation) -> views.Step:
    """One operation for people. What a new record does not say is not shown."""
    changes = tuple(
        views.Change(cell, names.value(cell, operation.before.get(cell)), names.value(cell, value))
        for cell, value in sorted(operation.cells.items(), key=lambda pair: order(pair[0]))
        if not (operation.kind == "create" and (cell == "title" or is_empty(cell, value)))
        and operation.kind != "archive"
    )
    return views.Step(
        names.connector(operation.connector),
        operation.kind,
        names.kind(operation.item),
        operation.title,
        changes,
        operation.reason,
    )


def held_views(outcome: Outcome) -> list[views.HeldView]:
    """What waits for a person. Of a first contact all that would follow from it is shown by `plan`."""
    names = names_of(outcome)
    found = [views.HeldView(one.peer.name, one.reason, outcome.digest) for one in outcome.contacts]
    found += [
        views.HeldView(
            names.connector(held.connector),
            held.reason,
            outcome.digest,
            tuple(step(names, operation) for operation in _sorted(outcome, held.operations)),
        )
        for held in outcome.held
    ]
    places = list(outcome.connectors)
    return sorted(found, key=lambda one: places.index(one.connector))


# ---- first contact ----------------------------------------------------------------------------------------------


def pairs(outcome: Outcome) -> list[views.PairView]:
    """Who is who at first contact (R16): sure, close, ambiguous, new. What the ledger pairs already is not told."""
    book = outcome.book
    if book is None or not outcome.contacts:
        return []
    names, places = Names(book.store, book), list(outcome.connectors)
    found, titles = [], {}
    items, resting = book.loaded_items(), _resting(outcome)
    known = {
        (link.item, link.connector)
        for link in book.store.links_of([item.id for item in items])
        if link.state is LinkState.LIVE
    }
    for item in items:
        links = [x for x in book.links_of(item.id) if x.state is LinkState.LIVE and x.connector not in resting]
        sides = _sides(places, ((names.connector(link.connector), item.title) for link in links))
        if not sides or item.dead:
            continue
        titles[item.id] = (item, sides)
        changes = tuple(
            views.Change(c.cell, names.value(c.cell, c.loser.value), names.value(c.cell, c.winner.value))
            for c in book.conflicts
            if c.item == item.id
        )
        if changes or not known.issuperset((item.id, link.connector) for link in links):
            found.append(views.PairView("pair" if len(sides) > 1 else "new", item.kind, sides, changes))
    found += [
        views.PairView(
            "ambiguous",
            one.strays[0].kind,
            _sides(places, ((names.connector(s.connector), s.title) for s in one.strays)),
        )
        for one in outcome.ambiguous
    ]
    found += _close(places, list(titles.values()))
    return sorted(found, key=lambda one: (_KINDS.index(one.kind), normal(one.sides[0][1]), one.sides))


def _resting(outcome: Outcome) -> set[str]:
    """Bindings of connectors that point elsewhere by now: their names are taken."""
    bindings = outcome.book.bindings.values() if outcome.book else ()
    taken = {binding.name for binding in bindings if binding.complete_run == outcome.run}
    return {binding.id for binding in bindings if binding.name in taken and binding.complete_run != outcome.run}


Sides = tuple[tuple[str, str], ...]


def _sides(places: list[str], sides: Iterable[tuple[str, str]]) -> Sides:
    """Connector and title, in the order of the settings."""
    return tuple(sorted(sides, key=lambda side: (places.index(side[0]) if side[0] in places else 99, side[1])))


def _close(places: list[str], items: list[tuple[Item, Sides]]) -> list[views.PairView]:
    """Items that are only on one side and whose titles are nearly equal: a person may want to pair them."""
    single = [(item, sides[0]) for item, sides in items if len(sides) == 1]
    found, seen = [], set()
    for item, side in single if len(single) <= 400 else []:
        others = {
            other.title: (other, place) for other, place in single if place[0] != side[0] and other.kind == item.kind
        }
        for title in match.likely(item.title, list(others)):
            other, place = others[title]
            if (other.id, item.id) not in seen:
                seen.add((item.id, other.id))
                found.append(views.PairView("close", item.kind, _sides(places, (side, place))))
    return found


# ---- a pass -----------------------------------------------------------------------------------------------------


def summary_rows(outcome: Outcome) -> list[views.SummaryRow]:
    """One line per connector."""
    return [
        views.SummaryRow(
            name, one.pulled, one.created, one.updated, one.deleted, one.parked, one.requests, one.error or ""
        )
        for name, one in outcome.connectors.items()
    ]


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """What ``sync --json`` prints."""
    data: dict[str, Any] = {
        "run": outcome.run,
        "ok": outcome.ok,
        "seconds": outcome.seconds,
        "conflicts": outcome.conflicts,
        "connectors": {name: vars(one) for name, one in outcome.connectors.items()},
        "warnings": list(outcome.warnings),
    }
    if outcome.waits:
        data["accept"] = outcome.digest
        data["waiting"] = _waiting(outcome)
    return data


def _waiting(outcome: Outcome) -> list[dict[str, Any]]:
    names = names_of(outcome)
    found: list[dict[str, Any]] = [{"connector": one.peer.name, "reason": one.reason} for one in outcome.contacts]
    for held in outcome.held:
        steps = [step_json(names, operation) for operation in _sorted(outcome, held.operations)]
        found.append({"connector": names.connector(held.connector), "reason": held.reason, "operations": steps})
    return found


def plan_json(outcome: Outcome) -> dict[str, Any]:
    """What ``plan --json`` prints: every operation, what waits, and who is who."""
    names = names_of(outcome)
    return {
        **outcome_json(outcome),
        "operations": [step_json(names, operation) for operation in operations(outcome)],
        "pairing": [
            {"verdict": pair.verdict, "kind": pair.kind, "sides": [list(side) for side in pair.sides]}
            for pair in pairs(outcome)
        ],
    }


def step_json(names: Names, operation: Operation) -> dict[str, Any]:
    """One operation for machines."""
    return {
        "connector": names.connector(operation.connector),
        "act": operation.kind,
        "kind": names.kind(operation.item),
        "item": operation.item,
        "title": operation.title,
        "changes": {
            cell: {"before": operation.before.get(cell), "after": value} for cell, value in operation.cells.items()
        },
        "reason": operation.reason,
    }
