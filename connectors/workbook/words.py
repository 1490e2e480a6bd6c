"""Words that mean the same in a column: a file is written in the words that its people use.

The mapping has one word for each meaning and reads many; here is which of them are the same. A column that already has
one of them gets that very spelling; else the headers say in which language it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.workbook import cells


@dataclass(frozen=True)
class Same:
    """Words of one meaning. The first of each language is written; ``signs`` belong to none, and are only read."""

    german: tuple[str, ...]
    english: tuple[str, ...]
    signs: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.german, *self.english, *self.signs)


_TICKED = ("x", "✓", "✔", "☑", "ok")

SAME: Mapping[str, tuple[Same, ...]] = {
    "kind": (
        Same(("Aufgabe", "Arbeitspaket", "Vorgang", "Teilaufgabe"), ("Task", "Work package", "To-do", "Subtask")),
        Same(("Meilenstein",), ("Milestone",), ("MS",)),
        Same(("Maßnahme", "Projekt"), ("Measure", "Project")),
        Same(("Handlungsfeld", "Arbeitsfeld"), ("Action field",)),
        Same(("Ziel",), ("Goal",)),
        Same(("Strategie",), ("Strategy",)),
    ),
    "status": (
        Same(
            ("Geplant", "Offen", "Neu", "Zu erledigen", "Nicht begonnen", "Nein"),
            ("Planned", "Open", "New", "To do", "Not started", "No"),
        ),
        Same(
            ("In Arbeit", "In Bearbeitung", "In Umsetzung", "Begonnen", "Läuft"),
            ("In progress", "Started", "Under way"),
            ("WIP",),
        ),
        Same(("Laufend", "Dauerhaft", "Daueraufgabe"), ("Ongoing",)),
        Same(
            ("Wartet", "Warten", "Pausiert", "Zurückgestellt", "Blockiert", "Ruht"),
            ("On hold", "Waiting", "Paused", "Blocked"),
        ),
        Same(
            ("Erledigt", "Fertig", "Abgeschlossen", "Umgesetzt", "Beendet", "Ja"),
            ("Done", "Completed", "Complete", "Finished", "Closed", "Yes"),
            _TICKED,
        ),
        Same(
            ("Abgebrochen", "Eingestellt", "Abgelehnt", "Verworfen", "Entfällt", "Entfallen"),
            ("Cancelled", "Canceled", "Rejected", "Dropped"),
        ),
        Same(("Idee",), ("Idea",)),
        Same(("Unbekannt",), ("Unknown",)),
    ),
    "priority": (
        Same(("Hoch", "Sehr hoch", "Dringend"), ("High", "Urgent"), ("1", "A", "!")),
        Same(("Mittel", "Normal"), ("Medium", "Normal"), ("2", "B")),
        Same(("Niedrig", "Gering"), ("Low",), ("3", "C")),
    ),
    "visibility": (
        Same(("Intern", "Nicht öffentlich", "Nein"), ("Internal", "Not public", "No")),
        Same(("Öffentlich", "Ja"), ("Public", "Yes"), _TICKED),
        Same(("Vertraulich",), ("Confidential",)),
    ),
}
"""Native field to its words, those of one meaning together."""

_GROUP = {(name, cells.plain(word)): same for name, groups in SAME.items() for same in groups for word in same.words}


def is_english(headers: Iterable[object]) -> bool:
    """Whether more of the headers are English words than German ones."""
    said = [cells.plain(header) for header in headers]
    return sum(one in cells.ENGLISH for one in said) > sum(one in cells.GERMAN for one in said)


def said(name: str, word: str, beside: Iterable[str], *, english: bool) -> str:
    """The word as this file says it: as other cells of the column do, else in its language."""
    group = _GROUP.get((name, cells.plain(word)))
    if group is None:
        return word
    used = Counter(text.strip() for text in beside if _GROUP.get((name, cells.plain(text))) is group)
    if used:
        return used.most_common(1)[0][0]
    ours = group.english if english else group.german
    return word if word in ours else ours[0]


def alike(name: str, one: object, other: object) -> bool:
    """Whether two cells of a column say the same."""
    found = _GROUP.get((name, cells.plain(one)))
    return found is not None and found is _GROUP.get((name, cells.plain(other)))
