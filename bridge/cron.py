"""A cron line as APScheduler's triggers, meaning what cron means by it.

APScheduler 3 counts the days of the week from Monday = 0, cron from Sunday = 0 (measured with 3.11:
``0 7 * * 1`` fires on Tuesdays), and it takes "day of month and day of week" as *and* where cron says *or*.
Here the days of the week become names before APScheduler sees them, and the two fields become two triggers.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}


def cron_trigger(line: str, zone: tzinfo) -> Any:
    """The APScheduler trigger for a cron line; raises ValueError when the line is no cron line."""
    # Imported here: only `run` and a set BRIDGE_SCHEDULE need APScheduler, which costs start-up time.
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    fields = _SHORT.get(line.strip().lower(), line).split()
    if len(fields) != 5:
        raise ValueError(f"{len(fields)} fields instead of 5")
    minute, hour, day, month, weekday = fields
    weekdays = _weekdays(weekday)
    if day.startswith("*") or weekday.startswith("*"):
        return CronTrigger.from_crontab(f"{minute} {hour} {day} {month} {weekdays}", zone)
    return OrTrigger(
        [
            CronTrigger.from_crontab(f"{minute} {hour} {day} {month} *", zone),
            CronTrigger.from_crontab(f"{minute} {hour} * {month} {weekdays}", zone),
        ]
    )


def _weekdays(field: str) -> str:
    """Cron's field for days of the week as a list of names."""
    if field == "*":
        return field
    days: set[int] = set()
    for part in field.lower().split(","):
        span, slash, step = part.partition("/")
        first, dash, last = ("0", "-", "6") if span == "*" else span.partition("-")
        start = _day(first)
        end = _day(last) if dash else (6 if slash else start)
        if end == 0 and start > 0:
            end = 7
        if start > end or (slash and not (step.isdecimal() and int(step))):
            raise ValueError(f"day of the week {part!r}")
        days.update(day % 7 for day in range(start, end + 1, int(step or 1)))
    return ",".join(_DAYS[day] for day in sorted(days))


def _day(text: str) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    if text in tuple("01234567"):
        return int(text)
    raise ValueError(f"day of the week {text!r}")
