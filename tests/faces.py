"""What the faces of the platforms in memory mean: their mappings, and a fourth face, a board with options."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.memory_platform import Traits
from mappings import schema
from mappings.translate import Translator
from tests.provenance import STATUS

ZONE = ZoneInfo("Europe/Berlin")

BOARD = Traits(
    conditional=False,
    marks=False,
    deltas=False,
    create_fields=frozenset({"title", "status", "labels"}),
    statuses=("Offen", "In Arbeit", "Erledigt"),
    options=frozenset({"status", "labels"}),
    lacks=frozenset(
        {"kind", "milestone", "parent", "depends_on", "priority", "progress", "completed_on", "start", "responsible"}
    ),
)
"""A board: columns and labels are options with ids; kinds, milestones and visibility are labels. Face "d".

Face "e" is the same board in an office that keeps no milestones on it: there they are nothing but labels.
"""

_BOARD_MAPPING = """
platform = "board"
[kinds]
native = "labels"
[kinds.elements]
milestone = ["Meilenstein"]
task = []
[archive]
native = "archived"
value = true
[fields]
title = { native = "title" }
description = { native = "description" }
due = { native = "due", as = "date" }
milestone = { native = "labels", by = "title" }
labels = { native = "labels" }
visibility = { native = "visibility", empty = "internal", values = { internal = "internal", public = "public" } }
[fields.status]
native = "status"
[fields.status.values]
"Offen" = "planned"
"In Arbeit" = "in_progress"
"Erledigt" = "done"
[fields.status.shown_as]
idea = "planned"
on_hold = "planned"
unknown = "planned"
ongoing = "in_progress"
cancelled = "done"
"""


@cache
def translator(face: str, lacks: frozenset[str] = frozenset()) -> Translator:
    """The shipped mapping with the statuses of this face, and without the fields in ``lacks``."""
    if face in ("d", "e"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "board.toml")
            text = _BOARD_MAPPING if face == "d" else _BOARD_MAPPING.replace('milestone = ["Meilenstein"]\n', "")
            path.write_text(text, encoding="utf-8")
            return Translator(schema.load(path), ZONE)
    mapping = schema.load(schema.shipped("memory.toml"))
    status = mapping.fields.status
    assert status is not None
    words = STATUS[face]
    status = status.model_copy(
        update={
            "values": {native: meant[0] for native, meant in words.items()},
            "shown_as": {other: meant[0] for meant in words.values() for other in meant[1:]},
        }
    )
    fields = mapping.fields.model_copy(update={"status": status} | dict.fromkeys(lacks))
    return Translator(mapping.model_copy(update={"fields": fields}), ZONE)
