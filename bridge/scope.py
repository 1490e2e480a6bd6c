"""Which items belong to a connector: what the setting ``<NAME>_SCOPE`` means. `bridge.scope_reader` reads it. Pure.

A scope is a test of an item's own values and of what it is part of, in words that an administrator can read::

    kind = task and (label = "Presse" or measure = "Bürgerportal") and not status = done
    Art = Aufgabe und (Schlagwort = Presse oder Maßnahme = Bürgerportal) und nicht Status = abgeschlossen

Words of both languages may be mixed; case and blanks do not count, as in titles and labels everywhere. ``measure`` and
``action field`` hold for an item that is one of that title, or is part of one, by parents and milestones. Nothing set
is `EVERYTHING`. What is confidential is no matter of scopes alone: see `bridge.scoping`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from mappings.canonical import STATUS, VISIBILITY, Kind, normal

FIELDS: Mapping[str, tuple[str, ...]] = {
    "kind": ("Art",),
    "action field": ("action_field", "Handlungsfeld", "Arbeitsfeld"),
    "measure": ("Maßnahme",),
    "unit": ("responsible", "Stelle", "Zuständig", "Einheit"),
    "label": ("labels", "Schlagwort", "Etikett"),
    "status": (),
    "visibility": ("Sichtbarkeit",),
}
"""What a scope may ask about, and what else it may be called."""

VALUES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "kind": {
        "strategy": ("Strategie",),
        "goal": ("Ziel",),
        "action_field": ("Handlungsfeld", "Arbeitsfeld"),
        "measure": ("Maßnahme",),
        "milestone": ("Meilenstein",),
        "task": ("Aufgabe",),
    },
    "status": {
        "idea": ("Idee",),
        "planned": ("geplant",),
        "in_progress": ("in Umsetzung", "in Arbeit"),
        "ongoing": ("Daueraufgabe",),
        "on_hold": ("zurückgestellt",),
        "done": ("abgeschlossen", "erledigt"),
        "cancelled": ("eingestellt",),
        "unknown": ("unbekannt",),
    },
    "visibility": {"internal": ("intern",), "public": ("öffentlich",), "confidential": ("vertraulich",)},
}
"""The vocabularies of kind, status and visibility, and their German words."""

assert [*VALUES["kind"]] == [kind.value for kind in Kind]
assert (tuple(VALUES["status"]), tuple(VALUES["visibility"])) == (STATUS, VISIBILITY)

ABOVE: Mapping[str, Kind] = {"action field": Kind.ACTION_FIELD, "measure": Kind.MEASURE}
"""Questions about what an item is or is part of."""

CONNECTIVES = {"and": "and", "und": "and", "or": "or", "oder": "or", "not": "not", "nicht": "not"}
"""What puts tests together, in both languages."""


@dataclass(frozen=True)
class Facts:
    """What a scope looks at: an item's own values, and by kind the `normal` titles of what it is or is part of."""

    kind: str
    status: str = "unknown"
    visibility: str = "internal"
    labels: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    above: Callable[[], Mapping[str, frozenset[str]]] = field(default=dict, compare=False)

    @cached_property
    def titles(self) -> Mapping[str, frozenset[str]]:
        """What it is or is part of; looked up only for a scope that asks."""
        return self.above()


class Scope(Protocol):
    """A test of an item. ``str`` of it is a scope again, in English and in one spelling."""

    def holds(self, facts: Facts) -> bool:
        """Whether the item belongs to the connector."""
        ...

    def tests(self) -> Iterator[Test]:
        """Every single question in it."""
        ...


@dataclass(frozen=True)
class Test:
    """One question: whether a field has one of these values, as they are spelled."""

    __test__ = False  # no test of the test-suite

    field: str
    values: tuple[str, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether the item has one of the values."""
        wanted = frozenset(normal(value) for value in self.values)
        match self.field:
            case "label":
                return bool(wanted & facts.labels)
            case "unit":
                return bool(wanted & facts.units)
            case "action field" | "measure":
                return bool(wanted & facts.titles.get(ABOVE[self.field].value, frozenset()))
            case _:
                return getattr(facts, self.field) in self.values

    def tests(self) -> Iterator[Test]:
        """This one."""
        yield self

    def __str__(self) -> str:
        values = [_spelled(value) for value in self.values]
        return f"{self.field} = {values[0]}" if len(values) == 1 else f"{self.field} in ({', '.join(values)})"


@dataclass(frozen=True)
class Not:
    """The opposite."""

    part: Scope

    def holds(self, facts: Facts) -> bool:
        """Whether the part does not hold."""
        return not self.part.holds(facts)

    def tests(self) -> Iterator[Test]:
        """Those of the part."""
        yield from self.part.tests()

    def __str__(self) -> str:
        return f"not {_bracketed(self.part)}"


@dataclass(frozen=True)
class Every:
    """All parts together; of nothing, everything."""

    parts: tuple[Scope, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether every part holds."""
        return all(part.holds(facts) for part in self.parts)

    def tests(self) -> Iterator[Test]:
        """Those of the parts."""
        for part in self.parts:
            yield from part.tests()

    def __str__(self) -> str:
        return " and ".join(_bracketed(part) if isinstance(part, Any_) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Any_:
    """One part at least."""

    parts: tuple[Scope, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether a part holds."""
        return any(part.holds(facts) for part in self.parts)

    def tests(self) -> Iterator[Test]:
        """Those of the parts."""
        for part in self.parts:
            yield from part.tests()

    def __str__(self) -> str:
        return " or ".join(map(str, self.parts))


EVERYTHING: Scope = Every(())
"""Where no scope is set."""


def looks_up(scope: Scope) -> bool:
    """Whether it asks what an item is part of, so that a change of another item may matter."""
    return any(test.field in ABOVE for test in scope.tests())


Words = Callable[[str, str], str]
"""A word of the language that is set: ("scope", "and"), ("scope", "measure"), ("status", "done")."""


def told(scope: Scope, words: Words) -> str:
    """The scope in other words than those of `str`: what people read."""
    match scope:
        case Test(field=name, values=values):
            known = VALUES.get(name)
            said = [words(name, value) if known else _spelled(value) for value in values]
            field = words("scope", name.replace(" ", "_"))
            return f"{field} = {said[0]}" if len(said) == 1 else f"{field} {words('scope', 'in')} ({', '.join(said)})"
        case Not(part=part):
            inner = told(part, words)
            return f"{words('scope', 'not')} {inner if isinstance(part, Test) else f'({inner})'}"
        case Every(parts=parts):
            pieces = [f"({told(part, words)})" if isinstance(part, Any_) else told(part, words) for part in parts]
            return f" {words('scope', 'and')} ".join(pieces) or words("scope", "everything")
        case Any_(parts=parts):
            return f" {words('scope', 'or')} ".join(told(part, words) for part in parts)
        case _:
            return str(scope)


def _bracketed(part: Scope) -> str:
    return str(part) if isinstance(part, Test) else f"({part})"


def _spelled(value: str) -> str:
    if re.fullmatch(r"\w+", value) and normal(value) not in CONNECTIVES:
        return value
    return f"„{value}“" if '"' in value else f'"{value}"'
