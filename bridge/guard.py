"""Refuses what looks like an accident (R23). Pure: it counts, and says which collections are held.

Counted per collection over a rolling day: records destroyed (deleted, archived, closed, a field blanked), created,
and rewritten. What a person has accepted is not counted again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.limits import Thresholds
from bridge.plan import Operation
from bridge.state import Intent

DAY = 86_400


@dataclass(frozen=True)
class Held:
    """The operations of one collection that wait for a person, and why."""

    connector: str
    reason: str
    operations: tuple[Operation, ...]


def guard(
    operations: Sequence[Operation],
    past: Mapping[str, Sequence[Intent]],
    sizes: Mapping[str, int],
    thresholds: Mapping[str, Thresholds],
) -> list[Held]:
    """Which collections are held. ``past`` are the counted intents of the last day, ``sizes`` the live records."""
    held = []
    for connector in sorted({operation.connector for operation in operations}):
        own = tuple(operation for operation in operations if operation.connector == connector)
        reason = _reason(own, past.get(connector, ()), sizes.get(connector, 0), thresholds[connector])
        if reason:
            held.append(Held(connector, reason, own))
    return held


def _reason(own: Sequence[Operation], past: Sequence[Intent], size: int, limits: Thresholds) -> str:
    def records(harm: str) -> set[str]:
        return {o.link for o in own if o.harm == harm} | {i.link for i in past if i.harm == harm}

    def planned(harm: str) -> bool:
        return any(o.harm == harm for o in own)

    destroyed = records("destroy")
    if planned("destroy"):
        if len(destroyed) > max(limits.destroyed[0], limits.destroyed[1] * size):
            return f"{len(destroyed)} of {size} records would be deleted, closed or blanked within a day"
        emptied = {o.link for o in own if o.kind in ("archive", "delete")}
        if size >= 2 and len(emptied) >= size:
            return f"the collection of {size} records would become empty"
    for harm, word in (("create", "created"), ("rewrite", "overwritten")):
        if planned(harm) and len(records(harm)) > max(limits.made[0], limits.made[1] * size):
            return f"{len(records(harm))} records would be {word} within a day, in a collection of {size}"
    return ""


def digest(lines: Iterable[str]) -> str:
    """A short name for exactly this list: what `--accept DIGEST` accepts, and nothing else."""
    return hashlib.sha256(json.dumps(sorted(lines), ensure_ascii=False).encode()).hexdigest()[:12]


def line(connector: str, act: str, kind: str, title: str, cells: Mapping[str, object]) -> str:
    """One operation as text, the same for the same operation in every run: no ids of ours in it."""
    return json.dumps([connector, act, kind, title, dict(sorted(cells.items()))], ensure_ascii=False, default=str)
