"""What is remembered of a file between two passes: who it is, its columns, and which of its rows have no id yet."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from connectors.base import Identity


@dataclass(frozen=True)
class Memory:
    """``place`` is what `place.Place.remember` says; it is empty where looking anew costs nothing.

    ``held`` are the rows that were read without an id in their column, and have not been seen with one since. Only of
    these it is uncertain what became of them when they are missing: any other had its id, and was taken out with it.
    """

    place: dict[str, str] = field(default_factory=dict)
    sheet: str = ""
    identity: Identity | None = None
    names: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()


def told(memory: Memory) -> str:
    """As text."""
    one = memory.identity
    identity = {name: getattr(one, name) for name in ("type", "host", "collection", "title", "writable", "warnings")}
    return json.dumps({**vars(memory), "identity": identity}, ensure_ascii=False, default=sorted)


def recalled(text: str | None) -> Memory | None:
    """What was told; None if that was nothing, or by another version of this program."""
    try:
        said = json.loads(text or "")
        identity = {**said["identity"], "warnings": tuple(said["identity"]["warnings"])}
        held, names = frozenset(said["held"]), frozenset(said["names"])
        return Memory(dict(said["place"]), said["sheet"], Identity(**identity), names, held)
    except (ValueError, LookupError, TypeError):
        return None
