"""A cron line means what cron means by it, whatever APScheduler counts from."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.cron import cron_trigger

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 23, 8, 0, tzinfo=ZONE)  # a Monday


def fires(line: str, times: int = 1) -> list[str]:
    trigger, now, found = cron_trigger(line, ZONE), START, []
    previous = None
    for _ in range(times):
        previous = now = trigger.get_next_fire_time(previous, now)
        found.append(now.strftime("%a %d.%m. %H:%M"))
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 7 * * 1", ["Mon 30.11. 07:00"]),
        ("0 7 * * 0", ["Sun 29.11. 07:00"]),
        ("0 7 * * 7", ["Sun 29.11. 07:00"]),
        ("0 7 * * SUN", ["Sun 29.11. 07:00"]),
        ("0 7 * * 5-7", ["Fri 27.11. 07:00", "Sat 28.11. 07:00", "Sun 29.11. 07:00", "Fri 04.12. 07:00"]),
        ("0 7 * * fri-sun", ["Fri 27.11. 07:00", "Sat 28.11. 07:00", "Sun 29.11. 07:00", "Fri 04.12. 07:00"]),
        ("0 7 * * 1-5/2", ["Wed 25.11. 07:00", "Fri 27.11. 07:00", "Mon 30.11. 07:00"]),
        ("0 7 * * */3", ["Wed 25.11. 07:00", "Sat 28.11. 07:00", "Sun 29.11. 07:00"]),
        ("0 7 1 * 3", ["Wed 25.11. 07:00", "Tue 01.12. 07:00", "Wed 02.12. 07:00"]),
        ("*/30 * * * *", ["Mon 23.11. 08:00", "Mon 23.11. 08:30"]),
        ("@daily", ["Tue 24.11. 00:00"]),
    ],
)
def test_it_fires_when_cron_would(line: str, expected: list[str]) -> None:
    assert fires(line, len(expected)) == expected


@pytest.mark.parametrize(
    "line", ["", "* * * *", "* * * * * *", "60 * * * *", "0 7 * * 8", "0 7 * * 5-1", "0 7 * * */0", "0 7 * * x", "@nie"]
)
def test_what_is_no_cron_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        cron_trigger(line, ZONE)
