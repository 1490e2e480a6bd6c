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

HEADERS: Mapping[str, tuple[str, ...]] = {
    "title": ("Titel", "Title", "Name", "Aufgabe", "Task", "Meilenstein/Aufgabe", "Bezeichnung", "Vorgang", "Thema"),
    "description": ("Beschreibung", "Description", "Bemerkung", "Bemerkungen", "Notizen", "Notes", "Details"),
    "kind": ("Art", "Kind", "Typ", "Type"),
    "status": ("Status", "Stand", "State"),
    "progress": ("Fortschritt", "Progress", "Fertigstellung", "% abgeschlossen", "% complete", "%"),
    "completed_on": ("Abgeschlossen am", "Erledigt am", "Completed on", "Completed", "Done on"),
    "priority": ("Priorität", "Priority", "Prio"),
    "start": ("Beginn", "Start", "Anfang", "Startdatum", "Start date", "von"),
    "due": ("Fällig", "Fällig am", "Due", "Due date", "Frist", "Termin", "Ende", "End", "Deadline", "bis"),
    "parent": ("Übergeordnet", "Parent", "Gehört zu", "Teil von", "Part of"),
    "milestone": ("Meilenstein", "Milestone"),
    "labels": ("Schlagworte", "Schlagwörter", "Labels", "Tags", "Stichworte"),
    "visibility": ("Sichtbarkeit", "Visibility"),
}
"""Native field to the headers that name it; the native name itself counts as well."""

DATES = frozenset({"completed_on", "start", "due"})
REFERENCES = frozenset({"parent", "milestone"})
SETS = frozenset({"labels"})
NUMBERS = frozenset({"progress"})

Raw = str | int | float | bool | datetime.date | datetime.datetime | list[object] | None
"""What a cell holds, in whatever format: text, a number, a date, in YAML a list as well."""

_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?")


def _plain(header: object) -> str:
    return " ".join(str(header if header is not None else "").casefold().split())


_FIELD_OF = {_plain(word): name for name, words in HEADERS.items() for word in (*words, name)} | {_plain(ID): ID}


def columns_of(headers: Iterable[object]) -> dict[str, int]:
    """Native field to the place of its column; of two columns for one field the first counts."""
    found: dict[str, int] = {}
    for place, header in enumerate(headers):
        if name := _FIELD_OF.get(_plain(header)):
            found.setdefault(name, place)
    return found


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
    """A cell as text: what people see of it, with LF line ends."""
    if isinstance(raw, datetime.datetime):
        return raw.isoformat(timespec="seconds")
    if isinstance(raw, datetime.date):
        return raw.isoformat()
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str("" if raw is None else raw).replace("\r\n", "\n").replace("\r", "\n")


def _set(raw: object) -> Native:
    if isinstance(raw, list | tuple):
        parts = [text_of(part) for part in raw]
    else:
        text = text_of(raw)
        parts = re.split("[;\n]" if ";" in text or "\n" in text else ",", text)
    return tuple(sorted({part.strip() for part in parts if part.strip()}))


def _date(raw: object) -> Native:
    if isinstance(raw, datetime.datetime):
        midnight = (raw.hour, raw.minute, raw.second) == (0, 0, 0)
        return raw.date().isoformat() if midnight else raw.replace(tzinfo=None).isoformat(timespec="seconds")
    text = text_of(raw).strip()
    if found := _GERMAN.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
        try:
            return datetime.date(year, month, day).isoformat()
        except ValueError:
            return text
    return text or None


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
        raise Rejected("A label with a semicolon in it cannot be kept in a cell: rename it.")
    text = "; ".join(parts)
    return f"{text};" if len(parts) == 1 and "," in text else text
