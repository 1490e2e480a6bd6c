"""The columns of a sheet: what their headers are called, and what a cell with a given text means.

Offices call one column by many names, in German and in English; case and blanks do not count. What a cell says is
turned into the native values of `connectors.base`: dates as dates however they are typed, labels as a set, line ends
as LF. A text that cannot be understood stays text, so that the mapping can say what is wrong with it (R27).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping

from connectors.base import Native
from connectors.errors import Rejected

ID = "sb-id"
"""The header of the column, hidden in a workbook, that says who a row is."""

NUMBER = "number"
"""The column in which an office counts its rows: read to understand what refers to them, never written."""

OURS = frozenset({ID, NUMBER})
"""Columns that are no field of a task."""

HEADERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "title": (
        ("Titel", "Aufgabe", "Meilenstein/Aufgabe", "Bezeichnung", "Vorgang", "Vorgangsname", "Thema", "Maßnahme"),
        ("Title", "Name", "Task", "Task name", "Subject"),
    ),
    "description": (
        ("Beschreibung", "Bemerkung", "Bemerkungen", "Notiz", "Notizen", "Erläuterung", "Anmerkungen"),
        ("Description", "Notes", "Details", "Remarks"),
    ),
    "kind": (("Art", "Typ"), ("Kind", "Type")),
    "status": (("Status", "Stand", "Erledigt", "Erledigt?"), ("State", "Done", "Done?")),
    "progress": (
        ("Fortschritt", "Fertigstellung", "% abgeschlossen", "Fortschritt (%)", "%"),
        ("Progress", "% complete"),
    ),
    "completed_on": (("Abgeschlossen am", "Erledigt am"), ("Completed on", "Completed", "Done on")),
    "priority": (("Priorität", "Prio", "Dringlichkeit"), ("Priority",)),
    "start": (("Beginn", "Anfang", "Startdatum", "Startet am", "von"), ("Start", "Start date", "Starts on")),
    "due": (
        ("Fällig", "Fällig am", "Frist", "Termin", "Ende", "Enddatum", "Fälligkeit", "Zieltermin", "bis"),
        ("Due", "Due date", "End", "End date", "Deadline", "Finish"),
    ),
    "parent": (
        ("Übergeordnet", "Gehört zu", "Teil von", "Übergeordnete Aufgabe"),
        ("Parent", "Part of", "Parent task"),
    ),
    "milestone": (("Meilenstein",), ("Milestone",)),
    "depends_on": (
        ("Abhängig von", "Abhängigkeit", "Abhängigkeiten", "Vorgänger", "Voraussetzung", "Voraussetzungen"),
        ("Depends on", "Dependencies", "Predecessor", "Predecessors", "Blocked by"),
    ),
    "responsible": (
        ("Zuständig", "Zuständigkeit", "Verantwortlich", "Federführung"),
        ("Responsible", "Unit"),
    ),
    "labels": (("Schlagworte", "Schlagwörter", "Stichworte"), ("Labels", "Tags")),
    "visibility": (("Sichtbarkeit", "Öffentlich", "Öffentlich?"), ("Visibility", "Public", "Public?")),
    NUMBER: (("Nr.", "Nr", "Lfd. Nr.", "Lfd.-Nr.", "Laufende Nummer"), ("No.", "No", "#")),
}
"""Native field to the headers that name it, in German and in English; the native name itself counts as well."""

DATES = frozenset({"completed_on", "start", "due"})
REFERENCES = frozenset({"parent", "milestone", "depends_on"})
SETS = frozenset({"responsible", "labels", "depends_on"})
NUMBERS = frozenset({"progress"})

Raw = str | int | float | bool | datetime.date | datetime.datetime | list[object] | None
"""What a cell holds, in whatever format: text, a number, a date, in YAML a list as well."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?")
_GERMAN = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}|\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})\.? ([^\W\d]+)\.?,? (\d{4})")
_MONTH_FIRST = re.compile(r"([^\W\d]+)\.? (\d{1,2}),? (\d{4})")
_MONTHS = (
    ("januar", "jan", "january", "jänner"),
    ("februar", "feb", "february"),
    ("märz", "mrz", "mär", "march", "mar"),
    ("april", "apr"),
    ("mai", "may"),
    ("juni", "jun", "june"),
    ("juli", "jul", "july"),
    ("august", "aug"),
    ("september", "sep", "sept"),
    ("oktober", "okt", "october", "oct"),
    ("november", "nov"),
    ("dezember", "dez", "december", "dec"),
)
_MONTH_OF = {word: number for number, words in enumerate(_MONTHS, 1) for word in words}


def plain(header: object) -> str:
    """A word as it is compared: case and blanks do not count."""
    return " ".join(str(header if header is not None else "").casefold().split())


_BOTH = frozenset({"status", "name", "start", "details", "labels", "tags", "%", "#"})
GERMAN, ENGLISH = (frozenset(plain(w) for words in HEADERS.values() for w in words[at]) - _BOTH for at in (0, 1))
"""Headers that are of one language only."""

_FIELD_OF = {plain(word): name for name, both in HEADERS.items() for words in both for word in (*words, name)}
_RANK = {plain(word): rank for both in HEADERS.values() for rank, word in enumerate((*both[0], *both[1]))}
_FIELD_OF[plain(ID)] = ID


def columns_of(headers: Iterable[object]) -> dict[str, int]:
    """Native field to the place of its column; of two for one field the one with the more usual header counts."""
    found: dict[str, tuple[int, int]] = {}
    for place, header in enumerate(headers):
        word = plain(header)
        if name := _FIELD_OF.get(word):
            found[name] = min(found.get(name, (99, 0)), (_RANK.get(word, 0), place))
    return {name: place for name, (_, place) in found.items()}


def empty_of(name: str) -> Native:
    """What an empty cell says."""
    return () if name in SETS else None


def read(name: str, raw: object) -> Native:
    """The native value that a cell says."""
    if name in SETS:
        return _set(raw)
    if raw is None or raw == "":
        return None
    if name in DATES:
        return _date(raw)
    if name in NUMBERS:
        return _number(raw)
    return text_of(raw)


def text_of(raw: object) -> str:
    """A cell as text: what people see of it, with LF line ends; a box that is ticked says yes."""
    if isinstance(raw, bool):
        return "Ja" if raw else "Nein"
    if isinstance(raw, datetime.datetime):
        return raw.isoformat(timespec="seconds")
    if isinstance(raw, datetime.date):
        return raw.isoformat()
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str("" if raw is None else raw).replace("\r\n", "\n").replace("\r", "\n")


def split(text: str) -> list[str]:
    """The elements that a cell lists, behind semicolons or line ends, else behind commas."""
    return re.split("[;\n]" if ";" in text or "\n" in text else ",", text)


def _set(raw: object) -> Native:
    if isinstance(raw, list | tuple):
        parts = [text_of(part) for part in raw]
    else:
        text = text_of(raw)
        parts = split(text)
    return tuple(sorted({part.strip() for part in parts if part.strip()}))


def _date(raw: object) -> Native:
    if isinstance(raw, datetime.datetime):
        midnight = (raw.hour, raw.minute, raw.second) == (0, 0, 0)
        return raw.date().isoformat() if midnight else raw.replace(tzinfo=None).isoformat(timespec="seconds")
    text = " ".join(text_of(raw).split())
    found = _typed(text)
    if found is None:
        return text or None
    try:
        return datetime.date(*found).isoformat()
    except ValueError:  # the 31st of February
        return text


def _typed(text: str) -> tuple[int, int, int] | None:
    """Year, month and day of a date as people type it; None where it could be another day as well."""
    if found := _YEAR_FIRST.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _GERMAN.fullmatch(text):
        return int(found[3]) + (2000 if len(found[3]) == 2 else 0), int(found[2]), int(found[1])
    if (found := _DAY_FIRST.fullmatch(text)) and (month := _MONTH_OF.get(found[2].casefold())):
        return int(found[3]), month, int(found[1])
    if (found := _MONTH_FIRST.fullmatch(text)) and (month := _MONTH_OF.get(found[1].casefold())):
        return int(found[3]), month, int(found[2])
    return None


def _number(raw: object) -> Native:
    if isinstance(raw, float | int) and not isinstance(raw, bool):
        return int(raw) if float(raw).is_integer() else text_of(raw)
    text = text_of(raw).strip()
    bare = text.removesuffix("%").strip()
    return int(bare) if bare.isascii() and bare.isdigit() else (text or None)


def day(value: Native) -> datetime.date | datetime.datetime | str:
    """A native date as a real one; what is none stays what it is."""
    text = str(value)
    if not _ISO.fullmatch(text):
        return text
    return datetime.date.fromisoformat(text) if len(text) == 10 else datetime.datetime.fromisoformat(text)


def written_date(value: Native, beside: Iterable[str]) -> str:
    """A date as text, in German where the column has German dates already."""
    real = day(value)
    german = any(_GERMAN.fullmatch(cell.strip()) for cell in beside)
    return real.strftime("%d.%m.%Y") if german and type(real) is datetime.date else str(value)


def written_set(value: Native) -> str:
    """Labels as the text of one cell; one with a comma ends in a semicolon, so that it is not read as two."""
    parts = value if isinstance(value, tuple) else ()
    if any(re.search("[;\n]", part) for part in parts):
        raise Rejected("What has a semicolon in its name cannot be listed in a cell: rename it.")
    text = "; ".join(parts)
    return f"{text};" if len(parts) == 1 and "," in text else text
