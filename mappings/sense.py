"""Whether a mapping file makes sense, once each of its tables is well formed.

Value tables are total (R8), nothing stands for two things, and no two fields claim one native field. Every problem
names the key, the value and what to do about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mappings.canonical import CONFIDENTIAL, FIELDS, FieldSpec, Kind, Type, normal
from mappings.tables import DONE, Choice, Day, Kinds, Mapping_, Number, Reference, Set, Text, spelled


@dataclass(frozen=True)
class Problem:
    """What is wrong with one key of a mapping file."""

    key: tuple[str, ...]
    value: object
    remedy: str

    def __str__(self) -> str:
        value = "" if self.value is None else f" = {_toml(self.value)}"
        return f"{'.'.join(_quoted(part) for part in self.key)}{value}: {self.remedy}"


def near(word: str, known: Sequence[str]) -> str:
    """A hint at the known word that was probably meant, else all of them."""
    close = difflib.get_close_matches(word.casefold(), known, n=1)
    return f'Did you mean "{close[0]}"?' if close else f"Known are: {', '.join(known)}."


def problems(mapping: Mapping_) -> Iterator[Problem]:
    """Everything that does not make sense."""
    yield from _kinds(mapping.kinds)
    for name, table in mapping.fields.tables().items():
        if isinstance(table, Choice):
            yield from _choice(name, table)
        if isinstance(table, Reference) and table.by == "title" and name != "milestone":
            yield Problem(("fields", name, "by"), table.by, 'only a milestone is found by title. Say by = "id".')
    yield from _claims(mapping)
    yield from _names_twice(mapping)


def _kinds(kinds: Kinds) -> Iterator[Problem]:
    where = ("kinds",)
    known = [kind.value for kind in Kind]
    if bool(kinds.elements) == bool(kinds.values):
        yield Problem(where, None, "needs either elements or values, and not both. Keep one of the two.")
    for name in kinds.elements:
        if name not in known:
            yield Problem((*where, "elements", name), None, f"is not a kind. {near(name, known)}")
    for native, kind in kinds.values.items():
        if kind not in known:
            yield Problem((*where, "values", native), kind, f"is not a kind. {near(kind, known)}")
    if kinds.empty is not None and kinds.empty not in known:
        yield Problem((*where, "empty"), kinds.empty, f"is not a kind. {near(kinds.empty, known)}")
    yield from _twice((*where, "values"), kinds.values)
    if kinds.elements:
        yield from _one_without((*where, "elements"), kinds.elements)


def _choice(name: str, table: Choice) -> Iterator[Problem]:
    where, spec = ("fields", name), FIELDS[name]
    known = [spelled(value) for value in spec.choices]

    def unknown(key: tuple[str, ...], raw: str | int) -> Iterator[Problem]:
        if str(raw) not in known:
            yield Problem((*where, *key), raw, f"is not a value of {name}. {near(str(raw), known)}")

    alone = table.secret is not None and not (table.elements or table.values)
    if bool(table.elements) == bool(table.values) and not alone:
        yield Problem(where, None, "needs either values or elements, and not both. Keep one of the two.")
    if table.secret is not None and name != "visibility":
        yield Problem((*where, "secret"), table.secret.native, "only visibility has one. Take it out.")
    for native, raw in table.values.items():
        yield from unknown(("values", native), raw)
        if table.as_ == "number" and not native.removeprefix("-").isdecimal():
            yield Problem((*where, "values", native), raw, 'is not a number. Write one, or leave out as = "number".')
    for raw in table.elements:
        if raw not in known:
            yield Problem((*where, "elements", raw), None, f"is not a value of {name}. {near(raw, known)}")
    for raw, instead in table.shown_as.items():
        if raw not in known:
            yield Problem((*where, "shown_as", raw), instead, f"is not a value of {name}. {near(raw, known)}")
        yield from unknown(("shown_as", raw), instead)
    if table.empty is not None:
        yield from unknown(("empty",), table.empty)
    for key in ("stamp", "flag"):
        if getattr(table, key) is not None and name != "status":
            yield Problem((*where, key), getattr(table, key), "only status has one. Take it out.")
    yield from _twice((*where, "values"), table.values)
    if table.elements:
        yield from _one_without((*where, "elements"), table.elements)
    if not alone:
        yield from _total(spec, table)
    yield from _coarse(spec, table)


def _total(spec: FieldSpec, table: Choice) -> Iterator[Problem]:
    """Every canonical value must be reachable: in the table, or by way of shown_as."""
    reached = set(table.elements) | {str(raw) for raw in table.values.values()}
    reached |= {str(table.empty)} if table.empty is not None else set()
    reached |= {str(DONE)} if table.flag else set()
    reached |= {CONFIDENTIAL} if spec.name == "visibility" else set()  # where it has no word it is shown as internal
    for value in map(spelled, spec.choices):
        if value not in reached and not reached.intersection(_chain(value, table.shown_as)):
            key = ("fields", spec.name, "shown_as", value)
            yield Problem(key, None, f"nothing shows {value}. Say as which value it is shown, or add it to the table.")


def _coarse(spec: FieldSpec, table: Choice) -> Iterator[Problem]:
    """What coarse records know must be values, and every other one must lead to one of them."""
    if table.coarse is None:
        return
    where, known = ("fields", spec.name, "coarse", "knows"), list(map(spelled, spec.choices))
    for raw in table.coarse.knows:
        if raw not in known:
            yield Problem(where, raw, f"is not a value of {spec.name}. {near(raw, known)}")
    for value in known:
        if value not in table.coarse.knows and not set(table.coarse.knows).intersection(_chain(value, table.shown_as)):
            key = ("fields", spec.name, "shown_as", value)
            yield Problem(key, None, f"nothing shows {value}. Say as which value it is shown, or add it to the table.")
            return


def _chain(value: str, shown_as: Mapping[str, str | int]) -> list[str]:
    chain: list[str] = []
    while value in shown_as and str(shown_as[value]) not in chain:
        value = str(shown_as[value])
        chain.append(value)
    return chain


def _twice(where: tuple[str, ...], values: Mapping[str, str | int]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for native, raw in values.items():
        if (first := seen.setdefault(normal(native), native)) != native:
            yield Problem((*where, native), raw, f'stands there already as "{first}": case does not count. Keep one.')


def _one_without(where: tuple[str, ...], elements: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    without = [name for name, names in elements.items() if not names]
    if len(without) != 1:
        found = "none has" if not without else f"{' and '.join(without)} have"
        yield Problem(where, None, f"one entry must be [], what no element means; {found}. Leave exactly one empty.")
    for name, names in elements.items():
        if not all(map(normal, names)):
            yield Problem((*where, name), names, "an element needs a name. Take the empty one out.")


def _claims(mapping: Mapping_) -> Iterator[Problem]:
    """Two fields that claim the same native field; only elements of a set may stand side by side."""
    claims: dict[str, tuple[str, bool]] = {mapping.kinds.native: ("kinds", bool(mapping.kinds.elements))}
    for name, table in mapping.fields.tables().items():
        shared = _by_elements(name, table)
        other, other_shared = claims.setdefault(table.native, (f"fields.{name}", shared))
        if other != f"fields.{name}" and not (shared and other_shared):
            yield Problem(("fields", name, "native"), table.native, f"belongs to {other} already. Name another field.")
    status = mapping.fields.status
    for key in ("stamp", "flag"):
        native = getattr(status, key, None)
        owner = claims.get(native or "", ("fields.completed_on", False))[0]
        if native and owner != "fields.completed_on":
            yield Problem(("fields", "status", key), native, f"belongs to {owner} already. Name another field.")
    if mapping.archive is not None:
        native, owner = mapping.archive.native, claims.get(mapping.archive.native, ("fields.status", False))[0]
        if owner != "fields.status":
            yield Problem(("archive", "native"), native, f"belongs to {owner} already. Name another field.")


def _by_elements(name: str, table: Text | Number | Day | Choice | Reference | Set) -> bool:
    if isinstance(table, Choice):
        return bool(table.elements) or not table.values
    if isinstance(table, Reference):
        return table.by == "title"
    return FIELDS[name].type is Type.SET


def _names_twice(mapping: Mapping_) -> Iterator[Problem]:
    """An element that stands for two things."""
    seen: dict[tuple[str, str], str] = {}
    tables: dict[tuple[str, ...], tuple[str, Mapping[str, tuple[str, ...]]]] = {}
    tables["kinds",] = (mapping.kinds.native, mapping.kinds.elements)
    for name, table in mapping.fields.tables().items():
        if isinstance(table, Choice):
            tables["fields", name] = (table.native, table.elements)
    for where, (native, elements) in tables.items():
        for meaning, names in elements.items():
            for element in names:
                here = ".".join((*where, "elements", meaning))
                if (first := seen.setdefault((native, normal(element)), here)) != here:
                    key = (*where, "elements", meaning)
                    yield Problem(key, element, f"stands for {first} already. Keep it in one of the two.")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{...}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list | tuple) else str(value)


def _quoted(key: str) -> str:
    return key if key and key.replace("_", "").replace("-", "").isalnum() and key.isascii() else f'"{key}"'
