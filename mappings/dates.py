"""Dates are dates: a calendar date in the city's zone against what a platform keeps (R14).

A platform keeps a date, a moment (UTC) or a time without a zone; see connectors.base for the shapes. A time of
day that is there stays there: a new date moves the moment to the same time of day, as the clocks on the wall
show it, on both clock-change days too.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from connectors.base import Native

NOON = time(12)
"""Where only a moment can be kept: noon in the city's zone has the same date in UTC."""


def day_of(value: Native, zone: ZoneInfo) -> str | None:
    """The calendar date that a native value stands for; ValueError if it is no date at all."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a date")
    if len(value) == len("2026-12-01"):
        return _date(value).isoformat()
    moment = _local(value, zone)
    return moment.date().isoformat()


def placed(day: str, current: Native, zone: ZoneInfo, *, as_moment: bool, beside: Native = None) -> str:
    """The native value that says ``day`` and keeps the time of day of what is there.

    ``beside`` is the record's other date: where nothing is there yet, a start and a due date take the same shape,
    since iCalendar wants DTSTART and DUE to be of one type (RFC 5545, 3.8.2.3). ValueError if it cannot be said.
    """
    pattern = current if _timed(current) else None
    if pattern is None and not as_moment and current in (None, "") and _timed(beside):
        pattern = beside
    value = _at(_date(day), pattern, zone, as_moment=as_moment and current in (None, ""))
    if day_of(value, zone) != day:
        raise ValueError(f"{day} is not a day in {zone.key}")
    return value


def instant(seconds: int) -> str:
    """Unix seconds as a native moment."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _at(day: date, pattern: Native, zone: ZoneInfo, *, as_moment: bool) -> str:
    if not isinstance(pattern, str):
        return _utc(day, NOON, zone) if as_moment else day.isoformat()
    clock = _local(pattern, zone)
    if clock.tzinfo is None:
        return datetime.combine(day, clock.time()).isoformat(timespec="seconds")
    return _utc(day, clock.time(), zone)


def _utc(day: date, clock: time, zone: ZoneInfo) -> str:
    # fold=0: an hour that the clocks skip is taken by the offset before the change, so it falls after the gap and
    # never on the day before; of an hour that comes twice the first is taken.
    try:
        moment = datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{day} is out of range") from None
    return moment.isoformat(timespec="seconds")


def _timed(value: Native) -> bool:
    if not isinstance(value, str) or len(value) <= len("2026-12-01"):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _local(value: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(value)
    try:
        return moment.astimezone(zone) if moment.tzinfo else moment
    except OverflowError:
        raise ValueError(f"{value} is out of range") from None


def _date(value: str) -> date:
    day = date.fromisoformat(value)
    if day.isoformat() != value:  # Python also reads week dates, which no platform of ours means
        raise ValueError(f"{value!r} is not a date")
    return day
