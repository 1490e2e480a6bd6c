"""What a mapping file may say, checked in full before anything is mirrored.

A mapping is a TOML file that says, per canonical field, in which native field of a platform it lives and what
its values are called there. It is written by a city's administrator, so every problem is named at once, with
the file, the key, the value and what to do about it; an unknown key is refused, never ignored. See
docs/mappings.md for the words of the format and mappings/*.toml for the shipped ones.

Two ways to say a choice: ``values`` is a table of native values (the first of each meaning is written, all are
read); ``elements`` names labels or categories that stand for it (the first is written, all are read, and the
one choice with an empty list is what no such element means).
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mappings.canonical import FIELDS, FieldSpec, Kind, Type, Value, normal

NONE = "none"
"""How a mapping file spells the canonical "nothing", which TOML has no word for."""

DONE: Value = "done"
"""What a flag or stamp of completion means."""


class MappingError(ValueError):
    """A mapping file that cannot be used; ``problems`` has one sentence each, and the message has them all."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


# ---- the tables of the file ----------------------------------------------------------------------------------


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Table):
    """A line or a text; ``limit`` is the greatest number of characters that the platform takes."""

    native: str = Field(min_length=1)
    limit: int | None = Field(default=None, gt=0)


class Number(_Table):
    """A whole number."""

    native: str = Field(min_length=1)


class Day(_Table):
    """A calendar date, which the platform keeps as a date or only as a moment (R14)."""

    native: str = Field(min_length=1)
    as_: Literal["date", "moment"] = Field(alias="as")


class Choice(_Table):
    """One of a vocabulary (R8).

    ``empty`` is what nothing there means. ``shown_as`` says which value is shown where the platform has none for
    a value. Of status only: ``stamp`` is a moment that goes with done, ``flag`` a moment that *means* done.
    """

    native: str = Field(min_length=1)
    as_: Literal["text", "number"] = Field(default="text", alias="as")
    values: dict[str, str | int] = {}
    elements: dict[str, tuple[str, ...]] = {}
    shown_as: dict[str, str | int] = {}
    empty: str | int | None = None
    stamp: str | None = None
    flag: str | None = None


class Reference(_Table):
    """Another item: by the native id of its record, or by an element that is titled like it (milestones)."""

    native: str = Field(min_length=1)
    by: Literal["id", "title"] = "id"
    limit: int | None = Field(default=None, gt=0)


class Set(_Table):
    """A set of elements; ``limit`` is the greatest number of characters of one."""

    native: str = Field(min_length=1)
    limit: int | None = Field(default=None, gt=0)


class Kinds(_Table):
    """How the platform tells kinds apart; a kind that is left out cannot be held there."""

    native: str = Field(min_length=1)
    elements: dict[str, tuple[str, ...]] = {}
    values: dict[str, str] = {}
    empty: str | None = None


class Archive(_Table):
    """What an archived record looks like."""

    native: str = Field(min_length=1)
    value: bool | str


class FieldTables(_Table):
    """The canonical fields that the platform can hold. What is left out is neither read nor written there (R7)."""

    title: Text
    description: Text | None = None
    status: Choice | None = None
    progress: Number | None = None
    completed_on: Day | None = None
    priority: Choice | None = None
    start: Day | None = None
    due: Day | None = None
    parent: Reference | None = None
    milestone: Reference | None = None
    depends_on: Set | None = None
    labels: Set | None = None
    visibility: Choice | None = None

    def tables(self) -> dict[str, Text | Number | Day | Choice | Reference | Set]:
        """The tables that are there, by canonical field."""
        return {name: table for name in type(self).model_fields if (table := getattr(self, name)) is not None}


class Mapping_(_Table):
    """A whole mapping file."""

    platform: str = Field(min_length=1)
    kinds: Kinds
    archive: Archive | None = None
    fields: FieldTables


def choice_value(choices: Sequence[Value], raw: str | int) -> Value:
    """The canonical value that a mapping file spells ``raw``; KeyError if there is none."""
    return {spelled(value): value for value in choices}[str(raw)]


def spelled(value: Value) -> str:
    """A canonical value as a mapping file spells it."""
    return NONE if value is None else str(value)


# ---- reading a file ------------------------------------------------------------------------------------------


def shipped(name: str) -> Path:
    """The path of a mapping that comes with the program, such as ``caldav.toml``."""
    return Path(str(resources.files("mappings") / name))


def load(path: str | Path) -> Mapping_:
    """Read and check a mapping file; raises `MappingError` with every problem that it has."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise MappingError([f"{path}: cannot be read ({error.strerror}). Name a mapping file that is there."]) from None
    except UnicodeDecodeError as error:
        raise MappingError([f"{path}: is not UTF-8 text (byte {error.start}). Save it as UTF-8."]) from None
    except tomllib.TOMLDecodeError as error:
        raise MappingError([f"{path}: is not TOML: {error}. Correct that line."]) from None
    problems, mapping = _check(data)
    if problems or mapping is None:
        raise MappingError([f"{path}: {problem}" for problem in problems])
    return mapping


@dataclass(frozen=True)
class _Problem:
    key: tuple[str, ...]
    value: object
    remedy: str

    def __str__(self) -> str:
        value = "" if self.value is None else f" = {_toml(self.value)}"
        return f"{'.'.join(_quoted(part) for part in self.key)}{value}: {self.remedy}"


def _check(data: dict[str, Any]) -> tuple[list[_Problem], Mapping_ | None]:
    """Every problem of a file: what pydantic refuses is cut out until the rest can be checked for its sense."""
    problems: list[_Problem] = []
    mapping: Mapping_ | None = None
    while mapping is None:
        try:
            mapping = Mapping_.model_validate(data)
        except ValidationError as error:
            found = [_from_pydantic(item, data) for item in error.errors(include_url=False)]
            problems += [problem for problem in found if problem not in problems]
            if not any(_cut(data, tuple(map(str, item["loc"])), str(item["type"])) for item in error.errors()):
                break
    if mapping is not None:
        touched = {problem.key[:2] for problem in problems}
        problems += [problem for problem in _sense(mapping) if problem.key[:2] not in touched]
    return problems, mapping


def _cut(data: dict[str, Any], loc: tuple[str, ...], kind: str) -> bool:
    """Take what is wrong out of the data; False where nothing can be taken out."""
    keys = list(loc[:-1] if kind == "missing" else loc)
    while keys:
        holder: Any = data
        for key in keys[:-1]:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and keys[-1] in holder:
            del holder[keys[-1]]
            return True
        keys.pop()
    return False


def _from_pydantic(error: Any, data: dict[str, Any]) -> _Problem:
    keys: list[str] = []
    value: Any = data
    for part in map(str, error["loc"]):
        if isinstance(value, dict) and (part in value or error["type"] == "missing"):
            value = value.get(part)
            keys.append(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
    if error["type"] == "extra_forbidden":
        known = _names(keys[:-1])
        return _Problem(tuple(keys), value, f"is not a key here. {near(keys[-1], known)}")
    if error["type"] == "missing":
        return _Problem(tuple(keys), None, "is missing. Add it.")
    return _Problem(tuple(keys), value, f"{error['msg']}. Correct it.")


def _names(keys: Sequence[str]) -> list[str]:
    """The keys that a table may have."""
    model: type[BaseModel] = Mapping_
    for key in keys:
        annotation = next((f.annotation for n, f in model.model_fields.items() if (f.alias or n) == key), None)
        models = [a for a in (annotation, *getattr(annotation, "__args__", ())) if isinstance(a, type)]
        model = next((a for a in models if issubclass(a, BaseModel)), model)
    return [info.alias or name for name, info in model.model_fields.items()]


def near(word: str, known: Sequence[str]) -> str:
    """A hint at the known word that was probably meant, else all of them."""
    close = difflib.get_close_matches(word.casefold(), known, n=1)
    return f'Did you mean "{close[0]}"?' if close else f"Known are: {', '.join(known)}."


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


# ---- whether it makes sense ----------------------------------------------------------------------------------


def _sense(mapping: Mapping_) -> Iterator[_Problem]:
    yield from _kinds(mapping.kinds)
    for name, table in mapping.fields.tables().items():
        if isinstance(table, Choice):
            yield from _choice(name, table)
        if isinstance(table, Reference) and table.by == "title" and name != "milestone":
            yield _Problem(("fields", name, "by"), table.by, 'only a milestone is found by title. Say by = "id".')
    yield from _claims(mapping)
    yield from _names_twice(mapping)


def _kinds(kinds: Kinds) -> Iterator[_Problem]:
    where = ("kinds",)
    known = [kind.value for kind in Kind]
    if bool(kinds.elements) == bool(kinds.values):
        yield _Problem(where, None, "needs either elements or values, and not both. Keep one of the two.")
    for name in kinds.elements:
        if name not in known:
            yield _Problem((*where, "elements", name), None, f"is not a kind. {near(name, known)}")
    for native, kind in kinds.values.items():
        if kind not in known:
            yield _Problem((*where, "values", native), kind, f"is not a kind. {near(kind, known)}")
    if kinds.empty is not None and kinds.empty not in known:
        yield _Problem((*where, "empty"), kinds.empty, f"is not a kind. {near(kinds.empty, known)}")
    yield from _twice((*where, "values"), kinds.values)
    if kinds.elements:
        yield from _one_without((*where, "elements"), kinds.elements)


def _choice(name: str, table: Choice) -> Iterator[_Problem]:
    where, spec = ("fields", name), FIELDS[name]
    known = [spelled(value) for value in spec.choices]

    def unknown(key: tuple[str, ...], raw: str | int) -> Iterator[_Problem]:
        if str(raw) not in known:
            yield _Problem((*where, *key), raw, f"is not a value of {name}. {near(str(raw), known)}")

    if bool(table.elements) == bool(table.values):
        yield _Problem(where, None, "needs either values or elements, and not both. Keep one of the two.")
    for native, raw in table.values.items():
        yield from unknown(("values", native), raw)
        if table.as_ == "number" and not native.removeprefix("-").isdecimal():
            yield _Problem((*where, "values", native), raw, 'is not a number. Write one, or leave out as = "number".')
    for raw in table.elements:
        if raw not in known:
            yield _Problem((*where, "elements", raw), None, f"is not a value of {name}. {near(raw, known)}")
    for raw, instead in table.shown_as.items():
        if raw not in known:
            yield _Problem((*where, "shown_as", raw), instead, f"is not a value of {name}. {near(raw, known)}")
        yield from unknown(("shown_as", raw), instead)
    if table.empty is not None:
        yield from unknown(("empty",), table.empty)
    for key in ("stamp", "flag"):
        if getattr(table, key) is not None and name != "status":
            yield _Problem((*where, key), getattr(table, key), "only status has one. Take it out.")
    yield from _twice((*where, "values"), table.values)
    if table.elements:
        yield from _one_without((*where, "elements"), table.elements)
    yield from _total(spec, table)


def _total(spec: FieldSpec, table: Choice) -> Iterator[_Problem]:
    """Every canonical value must be reachable: in the table, or by way of shown_as."""
    reached = set(table.elements) | {str(raw) for raw in table.values.values()}
    reached |= {str(table.empty)} if table.empty is not None else set()
    reached |= {str(DONE)} if table.flag else set()
    for value in map(spelled, spec.choices):
        if value not in reached and not reached.intersection(_chain(value, table.shown_as)):
            key = ("fields", spec.name, "shown_as", value)
            yield _Problem(key, None, f"nothing shows {value}. Say as which value it is shown, or add it to the table.")


def _chain(value: str, shown_as: Mapping[str, str | int]) -> list[str]:
    chain: list[str] = []
    while value in shown_as and str(shown_as[value]) not in chain:
        value = str(shown_as[value])
        chain.append(value)
    return chain


def _twice(where: tuple[str, ...], values: Mapping[str, str | int]) -> Iterator[_Problem]:
    seen: dict[str, str] = {}
    for native, raw in values.items():
        if (first := seen.setdefault(normal(native), native)) != native:
            yield _Problem((*where, native), raw, f'stands there already as "{first}": case does not count. Keep one.')


def _one_without(where: tuple[str, ...], elements: Mapping[str, tuple[str, ...]]) -> Iterator[_Problem]:
    without = [name for name, names in elements.items() if not names]
    if len(without) != 1:
        found = "none has" if not without else f"{' and '.join(without)} have"
        yield _Problem(where, None, f"one entry must be [], what no element means; {found}. Leave exactly one empty.")
    for name, names in elements.items():
        if not all(map(normal, names)):
            yield _Problem((*where, name), names, "an element needs a name. Take the empty one out.")


def _claims(mapping: Mapping_) -> Iterator[_Problem]:
    """Two fields that claim the same native field; only elements of a set may stand side by side."""
    claims: dict[str, tuple[str, bool]] = {mapping.kinds.native: ("kinds", bool(mapping.kinds.elements))}
    for name, table in mapping.fields.tables().items():
        shared = _by_elements(name, table)
        other, other_shared = claims.setdefault(table.native, (f"fields.{name}", shared))
        if other != f"fields.{name}" and not (shared and other_shared):
            yield _Problem(("fields", name, "native"), table.native, f"belongs to {other} already. Name another field.")
    status = mapping.fields.status
    for key in ("stamp", "flag"):
        native = getattr(status, key, None)
        owner = claims.get(native or "", ("fields.completed_on", False))[0]
        if native and owner != "fields.completed_on":
            yield _Problem(("fields", "status", key), native, f"belongs to {owner} already. Name another field.")
    if mapping.archive is not None:
        native, owner = mapping.archive.native, claims.get(mapping.archive.native, ("fields.status", False))[0]
        if owner != "fields.status":
            yield _Problem(("archive", "native"), native, f"belongs to {owner} already. Name another field.")


def _by_elements(name: str, table: Text | Number | Day | Choice | Reference | Set) -> bool:
    if isinstance(table, Choice):
        return bool(table.elements)
    if isinstance(table, Reference):
        return table.by == "title"
    return FIELDS[name].type is Type.SET


def _names_twice(mapping: Mapping_) -> Iterator[_Problem]:
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
                    yield _Problem(key, element, f"stands for {first} already. Keep it in one of the two.")
