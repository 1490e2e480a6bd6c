"""Aachen's digital strategy, as data: the items that are mirrored, and what is kept for the reports."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mappings.canonical import Kind

SOURCE = Path(__file__).with_name("aachen.toml")
FOR_REPORTS = ("indicator", "decision")
NEXT_STEPS = tuple(f"ac-t-0{number}" for number in range(1, 7))
"""The six steps that the working group agreed upon: in the demo nobody touches them."""


@dataclass(frozen=True)
class Entry:
    """One item of the strategy. References are ids."""

    id: str
    kind: Kind
    title: str
    status: str
    public: bool
    lines: tuple[str, ...]
    labels: tuple[str, ...]
    priority: int | None
    progress: int | None
    start: date | None
    due: date | None
    completed_on: date | None
    parent: str | None
    milestone: str | None
    depends_on: tuple[str, ...]
    field_of_action: bool
    """Whether the paper's successor calls it "Handlungsfeld"; the paper itself says "Aktivität"."""


@dataclass(frozen=True)
class Strategy:
    """The whole: ``entries`` are mirrored, ``for_reports`` are not."""

    entries: tuple[Entry, ...]
    for_reports: tuple[dict[str, Any], ...]
    units: tuple[dict[str, Any], ...]

    def entry(self, id: str) -> Entry:
        """The entry of an id."""
        return next(entry for entry in self.entries if entry.id == id)


def load(source: Path = SOURCE) -> Strategy:
    """Read the data."""
    data = tomllib.loads(source.read_text(encoding="utf-8"))
    items = data["items"]
    return Strategy(
        tuple(_entry(item) for item in items if item["type"] not in FOR_REPORTS),
        tuple(item for item in items if item["type"] in FOR_REPORTS),
        tuple(data["units"]),
    )


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(
        id=item["id"],
        kind=Kind.ACTION_FIELD if item["type"] == "activity" else Kind(item["type"]),
        title=item["title"],
        status=item["status"],
        public=item["visibility"] == "public",
        lines=tuple(_lines(item)),
        labels=tuple(
            label
            for label, there in (
                ("Leuchtturm", item.get("lighthouse")),
                ("Beteiligung", item.get("kind") == "participation"),
            )
            if there
        ),
        priority=item.get("priority"),
        progress=item.get("progress"),
        start=item.get("start"),
        due=item.get("due"),
        completed_on=item.get("completed_on"),
        parent=item.get("parent"),
        milestone=item.get("milestone"),
        depends_on=tuple(item.get("depends_on", ())),
        field_of_action=item["type"] == "action_field",
    )


def _lines(item: dict[str, Any]) -> list[str]:
    """What a person would write into the description: one line for each thing that the data say in words."""
    lines = [item[name] for name in ("summary", "description") if name in item]
    lines += [f"Einfache Sprache: {item['plain_summary']}"] if "plain_summary" in item else []
    lines += [f"Bewertung: {item['health_reason']}"] if "health_reason" in item else []
    return lines + [f"Risiko: {risk['text']}" for risk in item.get("risks", ())]
