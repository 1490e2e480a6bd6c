"""A VTODO as native fields, and native fields into a VTODO (RFC 5545; RFC 9253 for DEPENDS-ON).

Native fields are named as in iCalendar; two are parts of RELATED-TO: ``PARENT`` and ``DEPENDS-ON`` (UIDs). The
shapes of the values are those of `connectors.base`. CalDAV always carries the whole object, so a property that is
not there is an empty field, never an absent one. The exception is DUE where the task has a DURATION instead: it
follows from the start, so it is left out and locked (R7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.base import Fields, Native
from connectors.caldav.ics import Property, Todo, Unreadable, elements, escape, unescape, writable
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

NOON = time(12)


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
        fields[name] = _native_time(todo, todo.first(name))
    fields["CATEGORIES"] = _set(element for each in todo.all("CATEGORIES") for element in elements(each.value))
    parents = _related(todo, "PARENT")
    fields["PARENT"] = unescape(parents[0].value) if parents else None
    fields["DEPENDS-ON"] = _set(unescape(each.value) for each in _related(todo, "DEPENDS-ON"))
    locked = _OF_A_SERIES if todo.first("RRULE") else frozenset()
    if fields["DUE"] is None and todo.first("DURATION"):
        del fields["DUE"]
        locked |= {"DUE"}
    return fields, locked


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
            moment = _moment(todo, found)
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


def _number(todo: Todo, name: str) -> int | None:
    found = todo.first(name)
    if found is None or not found.value.strip():
        return None
    try:
        return int(found.value)
    except ValueError:
        raise Unreadable(f"{name} is no number: {found.value[:40]}") from None


def _native_time(todo: Todo, found: Property | None) -> str | None:
    if found is None or not found.value.strip():
        return None
    moment = _moment(todo, found)
    if isinstance(moment, datetime) and moment.tzinfo:
        moment = _in_utc(moment, found)
    return moment.isoformat()


def _in_utc(moment: datetime, found: Property) -> datetime:
    """The moment in UTC; programs write the first or last second of the calendar for "no date"."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Unreadable(f"{found.name} is at the very edge of the calendar: {found.value[:40]}") from None


def _related(todo: Todo, kind: str) -> list[Property]:
    """The RELATED-TO lines of one kind; a line without RELTYPE names the parent."""
    return [
        each
        for each in todo.all("RELATED-TO")
        if (each.param("RELTYPE").upper() or "PARENT") == kind and each.param("VALUE").upper() in ("", "UID", "TEXT")
    ]


_STAMP = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")


def _moment(todo: Todo, found: Property) -> date | datetime:
    """What a DATE or DATE-TIME says; without a zone where it has none, or one that nobody knows."""
    match = _STAMP.fullmatch(found.value.strip())
    try:
        if match is None:
            raise ValueError
        if match[2] is None:
            return datetime.strptime(match[1], "%Y%m%d").date()
        moment = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")
    except ValueError:
        raise Unreadable(f"{found.name} is no date: {found.value[:40]}") from None
    return moment.replace(tzinfo=UTC if match[3] else _zone(todo, found.param("TZID")))


def _zone(todo: Todo, tzid: str) -> tzinfo | None:
    """The zone of a TZID: by its name, else by the rules that the object brings along, else none."""
    if not tzid:
        return None
    try:
        return ZoneInfo(tzid)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _odd_zone(tzid, todo.zones.get(tzid, ""))


@lru_cache(maxsize=64)
def _odd_zone(tzid: str, rules: str) -> tzinfo | None:
    """The zone of a name from Windows, or behind a maker's prefix (RFC 5545, 3.2.19), or by a VTIMEZONE's rules."""
    # Imported here because it takes 70 ms, and hardly any task needs it.
    from icalendar import Component, Timezone
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    parts = tzid.strip("/").split("/")
    for name in (WINDOWS_TO_OLSON.get(tzid, ""), *("/".join(parts[start:]) for start in range(len(parts)))):
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(name)
    try:
        component: object = Component.from_ical(rules)
        return component.to_tz(lookup_tzid=False) if isinstance(component, Timezone) else None
    except Exception:  # other people's rules may be wrong in any way: the time is then one without a zone
        return None


# ---- writing ---------------------------------------------------------------------------------------------------


def fresh(uid: str, now: datetime) -> Todo:
    """A new task with nothing but what every task has to have."""
    stamp = _utc(now)
    names = {"UID": escape(uid), "DTSTAMP": stamp, "CREATED": stamp, "LAST-MODIFIED": stamp, "SEQUENCE": "0"}
    return Todo(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Strategy Bridge//caldav//EN", "BEGIN:VTODO"],
        [Property(name, "", value) for name, value in names.items()],
        [],
        ["END:VTODO", "END:VCALENDAR"],
    )


def write(todo: Todo, fields: Fields) -> None:
    """Write these native fields into a task, and touch nothing else of it."""
    for name, value in fields.items():
        _WRITERS.get(name, _refuse)(todo, name, value)
    _write_period(todo, {name: fields[name] for name in ("DUE", "DTSTART") if name in fields})


def touch(todo: Todo, now: datetime) -> None:
    """Say that the task was changed: no server does it for us (facts: nextcloud, section 8)."""
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        todo.put(name, [Property(name, "", _utc(now))])
    sequence = todo.first("SEQUENCE")
    number = int(sequence.value) if sequence and sequence.value.strip().isdecimal() else 0
    todo.put("SEQUENCE", [Property("SEQUENCE", "", str(number + 1))])


def _refuse(todo: Todo, name: str, value: Native) -> None:
    raise Rejected(f"A CalDAV task has no field {name}.")


def _write_text(todo: Todo, name: str, value: Native) -> None:
    text = writable(str(value)) if value is not None else ""
    # ALTREP points to another form of the old text.
    old = (todo.first(name) or Property(name, "", "")).with_params(ALTREP="")
    todo.put(name, [Property(name, old.params, escape(text))] if text else [])


def _write_number(todo: Todo, name: str, value: Native) -> None:
    todo.put(name, [] if value is None else [Property(name, "", str(value))])


def _write_completed(todo: Todo, name: str, value: Native) -> None:
    moment = _parsed(name, value)
    if moment is None:
        todo.put(name, [])
        return
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, NOON)  # COMPLETED cannot be a date
    todo.put(name, [Property(name, "", _utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))])


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
    """DUE and DTSTART are written together, afterwards."""


_WRITERS: Mapping[str, Callable[[Todo, str, Native], None]] = {
    **dict.fromkeys(_TEXTS, _write_text),
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


# ---- start and due: of one value type, or a server refuses them (RFC 5545, 3.8.2.3) ----------------------------


def _write_period(todo: Todo, values: Fields) -> None:
    """DUE first: where both are written and differ in type, the start follows it."""
    for name, value in values.items():
        partner = "DTSTART" if name == "DUE" else "DUE"
        other = todo.first(partner) if not (name == "DUE" and "DTSTART" in values) else None
        new = _parsed(name, value)
        if name == "DUE" and new is not None:
            todo.put("DURATION", [])  # a task has one or the other
        old = todo.first(name)
        try:
            todo.put(name, [] if new is None else [_timed(todo, name, new, old, other)])
        except OverflowError:
            raise Rejected(f"{name} cannot be {value!r}: that is at the very edge of the calendar.") from None


def _timed(todo: Todo, name: str, new: date | datetime, old: Property | None, other: Property | None) -> Property:
    """The property for ``new``: of the other's value type, in the zone of the old value."""
    beside = _moment(todo, other) if other else None
    before = _quietly(todo, old)
    if isinstance(beside, datetime) and not isinstance(new, datetime):
        new, source = _at_some_time(name, new, before, beside), old if isinstance(before, datetime) else other
    else:
        source = old
        if beside is not None and not isinstance(beside, datetime) and isinstance(new, datetime):
            zone = before.tzinfo if isinstance(before, datetime) else None
            new = (new.astimezone(zone) if zone and new.tzinfo else new).date()
    base = (old or Property(name, "", "")).with_params(VALUE="", TZID="")
    if not isinstance(new, datetime):
        return Property(name, base.with_params(VALUE="DATE").params, new.isoformat().replace("-", ""))
    if new.tzinfo is None:
        return Property(name, base.params, _compact(new))
    tzid = source.param("TZID") if source else ""
    zone = _zone(todo, tzid)
    local = new.astimezone(zone) if zone else new
    # The hour that a clock-change day has twice can only be said in UTC.
    if zone and local.replace(fold=0).astimezone(UTC) == new.astimezone(UTC):
        quoted = f'"{tzid}"' if re.search("[,;:]", tzid) else tzid
        return Property(name, base.with_params(TZID=quoted).params, _compact(local))
    return Property(name, base.params, _utc(new))


def _at_some_time(name: str, day: date, before: date | datetime | None, beside: datetime) -> datetime:
    """A moment on this day: the old time of day, else noon; and on the right side of the other end."""
    frame = before if isinstance(before, datetime) else beside
    moment = datetime.combine(day, frame.time() if frame is before else NOON, frame.tzinfo)
    if (moment.tzinfo is None) != (beside.tzinfo is None):
        return moment
    wrong = moment < beside if name == "DUE" else moment > beside
    same_day = beside.astimezone(frame.tzinfo).date() == day if frame.tzinfo else beside.date() == day
    return beside if wrong and same_day else moment


def _quietly(todo: Todo, found: Property | None) -> date | datetime | None:
    try:
        return _moment(todo, found) if found else None
    except Unreadable:
        return None  # it is about to be overwritten


def _parsed(name: str, value: Native) -> date | datetime | None:
    """A native date or moment; Rejected where it is none."""
    if value is None or value == "":
        return None
    try:
        text = str(value)
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        raise Rejected(f"{name} cannot be {value!r}: that is no date.") from None


def _utc(moment: datetime) -> str:
    return _compact(moment.astimezone(UTC)) + "Z"


def _compact(moment: datetime) -> str:
    """Digits only, the year with four of them (strftime writes 1 for the year 1)."""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds").replace("-", "").replace(":", "")


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
