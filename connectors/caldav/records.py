"""A VTODO as native fields, and native fields into a VTODO (RFC 5545; RFC 9253 for DEPENDS-ON).

Native fields are named as in iCalendar; two are parts of RELATED-TO: ``PARENT`` and ``DEPENDS-ON`` (UIDs). The
shapes of the values are those of `connectors.base`. CalDAV always carries the whole object, so a property that is
not there is an empty field, never an absent one. There are two exceptions. DUE, where the task has a DURATION
instead, follows from the start, so it is left out and locked (R7). And where there is no STATUS, which RFC 5545 makes
optional, COMPLETED says it: that is the time at which the task "was actually completed" (3.8.2.1). A PERCENT-COMPLETE
of 100 says it not: it is what an assignee reports, of their own portion where there are several (3.8.1.8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from connectors.base import Fields, Native
from connectors.caldav.ics import Property, Todo, Unreadable, elements, escape, unescape, writable
from connectors.caldav.times import NOON, moment_of, native_time, parsed, utc, write_period
from connectors.errors import Rejected

_TEXTS = ("SUMMARY", "DESCRIPTION", "STATUS", "CLASS")
_NUMBERS = ("PERCENT-COMPLETE", "PRIORITY")
_TIMES = ("COMPLETED", "DTSTART", "DUE")

EMPTY: Fields = {
    **dict.fromkeys((*_TEXTS, *_NUMBERS, *_TIMES, "PARENT")),
    "CATEGORIES": (),
    "DEPENDS-ON": (),
}
"""Every native field, with what a task shows that was created with nothing."""


# ---- reading ---------------------------------------------------------------------------------------------------


_OF_A_SERIES = frozenset({"STATUS", "PERCENT-COMPLETE", "COMPLETED"})
"""Of a task that recurs these would end the whole series: a client that knows how to moves on to the next one."""


def read(todo: Todo) -> tuple[dict[str, Native], frozenset[str]]:
    """The native fields of a task, and which of them it does not take at the moment."""
    fields: dict[str, Native] = {}
    for name in _TEXTS:
        fields[name] = _text(todo, name)
    for name in _NUMBERS:
        fields[name] = _number(todo, name)
    for name in _TIMES:
        fields[name] = native_time(todo, todo.first(name))
    fields["STATUS"] = _status(todo)
    fields["CATEGORIES"] = _set(element for each in todo.all("CATEGORIES") for element in elements(each.value))
    parents = _related(todo, "PARENT")
    fields["PARENT"] = unescape(parents[0].value) if parents else None
    fields["DEPENDS-ON"] = _set(unescape(each.value) for each in _related(todo, "DEPENDS-ON"))
    locked = _OF_A_SERIES if todo.first("RRULE") else frozenset()
    if fields["DUE"] is None and todo.first("DURATION"):
        del fields["DUE"]
        locked |= {"DUE"}
    return fields, locked


def is_private(fields: Fields) -> bool:
    """Whether its owner keeps a task from others (RFC 5545, 3.8.1.3): only connectors that are fit for it mirror it."""
    return str(fields.get("CLASS") or "").upper() in ("PRIVATE", "CONFIDENTIAL")


def uid_of(todo: Todo) -> str:
    """The UID of a task, or ""."""
    found = todo.first("UID")
    return unescape(found.value).strip() if found else ""


def changed_at(todo: Todo) -> float | None:
    """When the task was changed as its last client says, in Unix seconds: LAST-MODIFIED, else DTSTAMP."""
    for name in ("LAST-MODIFIED", "DTSTAMP"):
        found = todo.first(name)
        if found is None:
            continue
        try:
            moment = moment_of(todo, found)
        except Unreadable:
            continue
        if isinstance(moment, datetime):
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _set(values: object) -> tuple[str, ...]:
    return tuple(sorted(set(values)))  # type: ignore[call-overload]


def _text(todo: Todo, name: str) -> str | None:
    found = todo.first(name)
    text = writable(unescape(found.value)) if found else ""
    if name in ("STATUS", "CLASS"):
        text = text.strip().upper()
    return text or None


def _status(todo: Todo) -> str | None:
    """What STATUS says, or what COMPLETED says without it: see the module's docstring."""
    stamp = todo.first("COMPLETED")
    return _text(todo, "STATUS") or ("COMPLETED" if stamp and stamp.value.strip() else None)


def _number(todo: Todo, name: str) -> int | None:
    found = todo.first(name)
    if found is None or not found.value.strip():
        return None
    try:
        return int(found.value)
    except ValueError:
        raise Unreadable(f"{name} is no number: {found.value[:40]}") from None


def _related(todo: Todo, kind: str) -> list[Property]:
    """The RELATED-TO lines of one kind; a line without RELTYPE names the parent."""
    return [
        each
        for each in todo.all("RELATED-TO")
        if (each.param("RELTYPE").upper() or "PARENT") == kind and each.param("VALUE").upper() in ("", "UID", "TEXT")
    ]


# ---- writing ---------------------------------------------------------------------------------------------------


def fresh(uid: str, now: datetime) -> Todo:
    """A new task with nothing but what every task has to have."""
    stamp = utc(now)
    names = {"UID": escape(uid), "DTSTAMP": stamp, "CREATED": stamp, "LAST-MODIFIED": stamp, "SEQUENCE": "0"}
    return Todo(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Strategy Bridge//caldav//EN", "BEGIN:VTODO"],
        [Property(name, "", value) for name, value in names.items()],
        [],
        ["END:VTODO", "END:VCALENDAR"],
    )


def write(todo: Todo, fields: Fields) -> None:
    """Write these native fields into a task, and touch nothing else of it."""
    status = _status(todo)
    for name, value in fields.items():
        _WRITERS.get(name, _refuse)(todo, name, value)
    if "STATUS" not in fields and _status(todo) != status:  # COMPLETED came or went: the status stays, now in words
        _write_text(todo, "STATUS", status or "NEEDS-ACTION")
    write_period(todo, {name: fields[name] for name in ("DUE", "DTSTART") if name in fields})


def touch(todo: Todo, now: datetime) -> None:
    """Say that the task was changed: no server does it for us (facts: nextcloud, section 8)."""
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        todo.put(name, [Property(name, "", utc(now))])
    sequence = todo.first("SEQUENCE")
    number = int(sequence.value) if sequence and sequence.value.strip().isdecimal() else 0
    todo.put("SEQUENCE", [Property("SEQUENCE", "", str(number + 1))])


def _refuse(todo: Todo, name: str, value: Native) -> None:
    raise Rejected(f"A CalDAV task has no field {name}.")


def _write_text(todo: Todo, name: str, value: Native) -> None:
    text = writable(str(value)) if value is not None else ""
    # ALTREP points to another form of the old text, DERIVED says that it was made from one.
    old = (todo.first(name) or Property(name, "", "")).with_params(ALTREP="", DERIVED="")
    todo.put(name, [Property(name, old.params, escape(text))] if text else [])


def _write_description(todo: Todo, name: str, value: Native) -> None:
    """The text alone: its other forms (Outlook; RFC 9073) say the old words, and would be shown in its place."""
    _write_text(todo, name, value)
    for other in ("X-ALT-DESC", "STYLED-DESCRIPTION"):
        todo.put(other, [])


def _write_number(todo: Todo, name: str, value: Native) -> None:
    todo.put(name, [] if value is None else [Property(name, "", str(value))])


def _write_completed(todo: Todo, name: str, value: Native) -> None:
    moment = parsed(name, value)
    if moment is None:
        todo.put(name, [])
        return
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, NOON)  # COMPLETED cannot be a date
    todo.put(name, [Property(name, "", utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))])


def _write_categories(todo: Todo, name: str, value: Native) -> None:
    """One property for all of them: Nextcloud Tasks reads only the first (facts: nextcloud, section 8)."""
    words = [word for each in _tuple(value) if (word := writable(each).strip())]
    old = todo.first(name)
    line = Property(name, old.params if old else "", ",".join(map(escape, words)))
    todo.put(name, [line] if words else [])


def _write_parent(todo: Todo, name: str, value: Native) -> None:
    old = _related(todo, "PARENT")
    if not value:
        todo.put("RELATED-TO", [], old)
        return
    params = old[0].params if old else ";RELTYPE=PARENT"
    todo.put("RELATED-TO", [Property("RELATED-TO", params, escape(str(value))), *old[1:]], old)


def _write_depends_on(todo: Todo, name: str, value: Native) -> None:
    wanted, old = set(_tuple(value)), _related(todo, "DEPENDS-ON")
    kept = [each for each in old if unescape(each.value) in wanted]
    new = sorted(wanted - {unescape(each.value) for each in kept})
    lines = [Property("RELATED-TO", ";RELTYPE=DEPENDS-ON", escape(uid)) for uid in new]
    todo.put("RELATED-TO", [*kept, *lines], old)


def _nothing(todo: Todo, name: str, value: Native) -> None:
    """DUE and DTSTART are written together, afterwards: see `connectors.caldav.times`."""


_WRITERS: Mapping[str, Callable[[Todo, str, Native], None]] = {
    **dict.fromkeys(_TEXTS, _write_text),
    "DESCRIPTION": _write_description,
    **dict.fromkeys(_NUMBERS, _write_number),
    "COMPLETED": _write_completed,
    "CATEGORIES": _write_categories,
    "PARENT": _write_parent,
    "DEPENDS-ON": _write_depends_on,
    "DTSTART": _nothing,
    "DUE": _nothing,
}


def _tuple(value: Native) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else () if value is None else (str(value),)


# ---- what we, or servers, are known to turn values into --------------------------------------------------------


def normalises(name: str, sent: Native, shown: Native) -> bool:
    """Whether ``shown`` is what becomes of ``sent`` when it is written: blanks at line ends, a date as a moment."""
    if name in _TEXTS:
        return _canon(sent) == _canon(shown)
    if name in ("CATEGORIES", "DEPENDS-ON"):
        return _canon_set(sent) == _canon_set(shown)
    if name in _TIMES:
        return _same_day(sent, shown)
    return False


def _canon(value: Native) -> str:
    lines = writable(str(value)).split("\n") if value is not None else []
    return "\n".join(line.rstrip() for line in lines).strip()


def _canon_set(value: Native) -> list[str]:
    return sorted({word for each in _tuple(value) if (word := writable(each).strip())})


def _same_day(sent: Native, shown: Native) -> bool:
    """A date that became a moment, or the other way round, on the same day."""
    one, other = str(sent), str(shown)
    return ("T" in one) != ("T" in other) and one[:10] == other[:10]
