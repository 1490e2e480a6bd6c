"""What the tests of translating share: three platforms, their records, and who is who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from connectors.base import Native
from mappings.canonical import Value, normal, shortened
from mappings.schema import load, shipped
from mappings.translate import Reading, Translator, Vocabulary

BERLIN = ZoneInfo("Europe/Berlin")
AT = 1_790_000_000  # 2026-09-21 16:13:20 in Berlin
STAMP = "2026-09-21T14:13:20+00:00"

CALDAV = Translator(load(shipped("caldav.toml")), BERLIN)
DECK = Translator(load(shipped("nextcloud-deck.toml")), BERLIN)
MEMORY = Translator(load(shipped("memory.toml")), BERLIN)

STACKS = {"s1": "Offen", "s2": "In Arbeit", "s3": "Erledigt"}
LABELS = {"l1": "Meilenstein", "l2": "Presse", "l3": "öffentlich", "l4": "Baubeginn", "l5": "Ziel"}


@dataclass(frozen=True)
class Who:
    """Items by native id, and titles of milestones by item."""

    items: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    def item_of(self, native_id: str) -> str | None:
        return self.items.get(native_id)

    def native_of(self, item: str) -> str | None:
        return next((native for native, other in self.items.items() if other == item), None)

    def title_of(self, item: str) -> str:
        return self.titles[item]

    def milestone_titled(self, title: str, limit: int | None = None) -> str | None:
        found = [item for item, other in self.titles.items() if normal(shortened(other, limit)) == normal(title)]
        return found[0] if len(found) == 1 else None


NOBODY = Who()
BUILD = Who({"n1": "m1"}, {"m1": "Baubeginn"})
PLAIN = Vocabulary()


def board(stacks: Mapping[str, str] = STACKS, labels: Mapping[str, str] = LABELS, **bound: str) -> Vocabulary:
    there = {"stack": dict(stacks), "labels": dict(labels)}
    return Vocabulary(there, there, {"labels": bound})


def card(**fields: Native) -> dict[str, Native]:
    blank: dict[str, Native] = {"title": "Karte", "description": "", "stack": "s1", "done": None, "archived": False}
    return blank | {"duedate": None, "startdate": None, "labels": ()} | fields


BOARD = board()


def todo(**fields: Native) -> dict[str, Native]:
    names = ["STATUS", "PERCENT_COMPLETE", "COMPLETED", "PRIORITY", "DUE", "DTSTART", "PARENT", "DESCRIPTION", "CLASS"]
    blank: dict[str, Native] = dict.fromkeys((name.replace("_", "-") for name in names), None)
    given = {name.replace("_", "-"): value for name, value in fields.items()}
    return blank | {"SUMMARY": "Aufgabe", "CATEGORIES": (), "DEPENDS-ON": ()} | given


def on_deck(voc: Vocabulary = BOARD, refs: Who = NOBODY, **fields: Native) -> Reading:
    return DECK.read(card(**fields), voc, refs)


def on_caldav(refs: Who = NOBODY, voc: Vocabulary = PLAIN, **fields: Native) -> Reading:
    return CALDAV.read(todo(**fields), voc, refs)


def to_deck(
    wanted: dict[str, Value], voc: Vocabulary = BOARD, refs: Who = NOBODY, **fields: Native
) -> dict[str, Native]:
    return DECK.write(wanted, card(**fields), voc, refs, AT).fields


def to_caldav(wanted: dict[str, Value], refs: Who = NOBODY, **fields: Native) -> dict[str, Native]:
    return CALDAV.write(wanted, todo(**fields), PLAIN, refs, AT).fields


def said(reading: Reading, cell: str) -> set[Value] | None:
    asserted = reading.asserted(cell)
    return None if asserted is None else set(asserted)
