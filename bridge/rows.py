"""How the ledger writes things down: dataclasses to rows of plain columns and JSON, and back.

A `Shape` says for one dataclass how each field becomes JSON. Fields at their default are left out, and unknown
names are passed over when reading: a field that is added later needs no migration, one that is dropped neither.
A field of plain text, numbers or yes and no needs no word here; any other must be named, or the import fails: what
the ledger forgot to store would be lost without a sound.

JSON is written by one hand on every database: no blanks, letters as they are, keys in the order in which they came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Generic, Protocol, TypeVar

from bridge.state import (
    Assertion,
    Base,
    Binding,
    Conflict,
    Entry,
    Intent,
    Item,
    Key,
    Link,
    LinkState,
    Memo,
    Parked,
    Run,
    Side,
    Unlinked,
    sequence,
)
from connectors.base import Native, Record, Ref

T = TypeVar("T")

_PLAIN = frozenset({"str", "int", "bool", "float", "bool | None", "str | None", "float | None", "Value", "Cell"})


def dumps(value: Any) -> str:
    """JSON text that every database takes: half a surrogate pair, which UTF-8 refuses, is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, separators=(",", ":"))
    return text


def loads(text: str) -> Any:
    """What `dumps` wrote."""
    return json.loads(text)


class Codec(Protocol):
    """One kind of value: how it is written as JSON, and how it is read back."""

    @property
    def write(self) -> Callable[[Any], Any]:
        """Makes JSON of a value."""
        ...

    @property
    def read(self) -> Callable[[Any], Any]:
        """Makes a value of JSON."""
        ...


@dataclass(frozen=True)
class Way:
    """A codec made of two functions."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _write_native(value: Native) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _read_native(value: Any) -> Native:
    return tuple(value) if isinstance(value, list) else value


def each(codec: Codec) -> Codec:
    """A mapping whose values have this codec."""
    return Way(
        lambda mapping: {name: codec.write(value) for name, value in mapping.items()},
        lambda stored: {name: codec.read(value) for name, value in stored.items()},
    )


def many(codec: Codec, kind: Callable[[Iterable[Any]], Any] = tuple) -> Codec:
    """A tuple or list whose elements have this codec."""
    return Way(
        lambda values: [codec.write(value) for value in values],
        lambda stored: kind(codec.read(value) for value in stored),
    )


def maybe(codec: Codec) -> Codec:
    """None, or a value of this codec."""
    return Way(
        lambda value: None if value is None else codec.write(value),
        lambda stored: None if stored is None else codec.read(stored),
    )


class Shape(Generic[T]):
    """A dataclass as a JSON object; see the module's docstring."""

    def __init__(self, cls: type[T], **codecs: Codec) -> None:
        known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
        if strange := codecs.keys() - known.keys():
            raise TypeError(f"{cls.__name__} has no field {sorted(strange)}")
        if unsaid := [name for name, field in known.items() if name not in codecs and field.type not in _PLAIN]:
            raise TypeError(f"bridge/rows.py does not say how {unsaid} of {cls.__name__} are stored")
        self.cls = cls
        self.codecs = {name: codecs.get(name, _plain) for name in known}
        self.defaults = {
            name: field.default_factory() if field.default_factory is not MISSING else field.default
            for name, field in known.items()
        }

    def part(self, value: T, names: Iterable[str]) -> dict[str, Any]:
        """These fields as JSON, those at their default left out."""
        found = ((name, getattr(value, name)) for name in names)
        return {name: self.codecs[name].write(it) for name, it in found if it != self.defaults[name]}

    def write(self, value: T) -> dict[str, Any]:
        """The whole object as JSON."""
        return self.part(value, self.codecs)

    def read(self, stored: Mapping[str, Any]) -> T:
        """The object of what was stored; names that are not known any more are passed over."""
        return self.cls(**{name: self.codecs[name].read(it) for name, it in stored.items() if name in self.codecs})


_plain = Way(_same, _same)
_json = Way(dumps, loads)
_key = Way(list, lambda stored: Key(*stored))
_keys = each(_key)
_native = Way(_write_native, _read_native)
_names = Way(sorted, frozenset)
_options = each(each(_plain))

ref = Shape(Ref)
record = Shape(
    Record,
    ref=ref,
    fields=maybe(each(_native)),
    locked=_names,
    options=_options,
)
assertion = Shape(
    Assertion,
    values=Way(lambda values: list(sequence(values)), frozenset),
    key=_key,
    company=each(_plain),
)
base = Shape(Base, key=_key, asserts=many(assertion), company=each(_plain))
memo = Shape(Memo)
parked = Shape(Parked)
side = Shape(Side)
item = Shape(Item, cells=each(base), life_key=_key, deletes=many(_keys, list))
link = Shape(
    Link,
    state=Way(str, LinkState),
    shadow=each(_native),
    locked=_names,
    known=_keys,
    offered=_keys,
    memo=each(memo),
    wrote=each(many(Way(lambda pair: [pair[0], list(pair[1])], lambda pair: (pair[0], Key(*pair[1]))))),
    replaced=each(many(_key)),
    parked=each(parked),
    fuse=each(Way(list, tuple)),
    waits_for=_names,
    pending=_names,
)
intent = Shape(Intent, sent=each(_native), cells=each(_plain), keys=_keys)
unlinked = Shape(Unlinked, record=record, candidates=many(_plain))
binding = Shape(Binding, there=_options, meant=_options, bound=_options)
conflict = Shape(Conflict, winner=side, loser=side)
entry = Shape(Entry, before=_json, after=_json)
run = Shape(Run, summary=each(_plain))
