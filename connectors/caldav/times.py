"""Dates and times in a VTODO: read in whatever zone they stand, and written in the zone that was there (R14).

DTSTART and DUE have to be of one value type, or a server may refuse them (RFC 5545, 3.8.2.3; facts: nextcloud,
section 8).
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.base import Fields, Native
from connectors.caldav.ics import Property, Todo, Unreadable
from connectors.errors import Rejected

NOON = time(12)


# ---- reading ---------------------------------------------------------------------------------------------------


def native_time(todo: Todo, found: Property | None) -> str | None:
    """A property as a native date, moment or time without a zone; None where there is nothing."""
    if found is None or not found.value.strip():
        return None
    moment = moment_of(todo, found)
    if isinstance(moment, datetime) and moment.tzinfo:
        moment = _in_utc(moment, found)
    return moment.isoformat()


def _in_utc(moment: datetime, found: Property) -> datetime:
    """The moment in UTC; programs write the first or last second of the calendar for "no date"."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Unreadable(f"{found.name} is at the very edge of the calendar: {found.value[:40]}") from None


_STAMP = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")


def moment_of(todo: Todo, found: Property) -> date | datetime:
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


_FREQUENCY = re.compile(r"FREQ=([A-Z]+)")


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
    if set(_FREQUENCY.findall(rules.upper())) - {"YEARLY"}:
        return None  # counting every second since 1970 would take all day; nobody's clocks change like that
    try:
        component: object = Component.from_ical(rules)
        return component.to_tz(lookup_tzid=False) if isinstance(component, Timezone) else None
    except Exception:  # other people's rules may be wrong in any way: the time is then one without a zone
        return None


def _quietly(todo: Todo, found: Property | None) -> date | datetime | None:
    try:
        return moment_of(todo, found) if found else None
    except Unreadable:
        return None  # it is about to be overwritten


# ---- writing ---------------------------------------------------------------------------------------------------


def write_period(todo: Todo, values: Fields) -> None:
    """Write DTSTART and DUE, DUE first: where both are written and differ in type, the start follows it.

    Where the two differed before, the server evidently takes that, and each stays what it is: made into the other's
    type it might fall on another day, since only the mapping knows in which zone days are counted (R14).
    """
    mixed = _mixed(todo)
    for name, value in values.items():
        partner = "DTSTART" if name == "DUE" else "DUE"
        other = None if mixed or (name == "DUE" and "DTSTART" in values) else todo.first(partner)
        new = parsed(name, value)
        if name == "DUE" and new is not None:
            todo.put("DURATION", [])  # a task has one or the other
        old = todo.first(name)
        try:
            todo.put(name, [] if new is None else [_timed(todo, name, new, old, other)])
        except OverflowError:
            raise Rejected(f"{name} cannot be {value!r}: that is at the very edge of the calendar.") from None


def _mixed(todo: Todo) -> bool:
    """Whether one of start and due is a date and the other a time."""
    there = [moment for name in ("DTSTART", "DUE") if (moment := _quietly(todo, todo.first(name)))]
    return len({isinstance(moment, datetime) for moment in there}) == 2


def _timed(todo: Todo, name: str, new: date | datetime, old: Property | None, other: Property | None) -> Property:
    """The property for ``new``: of the other's value type, in the zone of the old value."""
    beside = moment_of(todo, other) if other else None
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
    return Property(name, base.params, utc(new))


def _at_some_time(name: str, day: date, before: date | datetime | None, beside: datetime) -> datetime:
    """A moment on this day: the old time of day, else noon; and on the right side of the other end."""
    frame = before if isinstance(before, datetime) else beside
    moment = datetime.combine(day, frame.time() if frame is before else NOON, frame.tzinfo)
    if (moment.tzinfo is None) != (beside.tzinfo is None):
        return moment
    wrong = moment < beside if name == "DUE" else moment > beside
    same_day = beside.astimezone(frame.tzinfo).date() == day if frame.tzinfo else beside.date() == day
    return beside if wrong and same_day else moment


def parsed(name: str, value: Native) -> date | datetime | None:
    """A native date or moment; Rejected where it is none."""
    if value is None or value == "":
        return None
    try:
        text = str(value)
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        raise Rejected(f"{name} cannot be {value!r}: that is no date.") from None


def utc(moment: datetime) -> str:
    """A moment as a DATE-TIME in UTC."""
    return _compact(moment.astimezone(UTC)) + "Z"


def _compact(moment: datetime) -> str:
    """Digits only, the year with four of them (strftime writes 1 for the year 1)."""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds").replace("-", "").replace(":", "")
