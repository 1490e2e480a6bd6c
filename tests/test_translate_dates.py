"""Dates are dates (R14): read in the city's zone, written at the time of day that is there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Native
from mappings.canonical import Value
from mappings.dates import day_of, placed
from tests.translating import (
    AT,
    BERLIN,
    CALDAV,
    DECK,
    NOBODY,
    PLAIN,
    STAMP,
    on_caldav,
    on_deck,
    said,
    to_caldav,
    to_deck,
    todo,
)


@pytest.mark.parametrize(
    ("native", "day"),
    [
        ("2026-12-01", "2026-12-01"),
        ("2026-12-01T11:00:00+00:00", "2026-12-01"),
        ("2026-12-01T23:30:00+00:00", "2026-12-02"),
        ("2026-07-01T21:59:59+00:00", "2026-07-01"),
        ("2026-07-01T22:00:00+00:00", "2026-07-02"),
        ("2026-12-01T23:30:00", "2026-12-01"),
        (None, None),
        ("", None),
    ],
)
def test_a_date_is_read_in_the_zone_of_the_city(native: str | None, day: str | None) -> None:
    assert said(on_caldav(DUE=native), "due") == {day}


@pytest.mark.parametrize("native", ["morgen", "2026-13-01", "2026-W01-1", 5, True, ("x",), "0001-01-01T00:00:00+23:00"])
def test_a_nonsense_date_is_absent_and_left_alone(native: Native) -> None:
    assert "due" in on_caldav(DUE=native).problems
    assert to_caldav({"due": "2026-12-01"}, DUE=native) == {}


@pytest.mark.parametrize(
    ("there", "day", "written"),
    [
        (None, "2026-12-01", "2026-12-01"),
        ("2026-01-01", "2026-12-01", "2026-12-01"),
        ("2026-01-01T12:00:00+00:00", "2026-07-01", "2026-07-01T11:00:00+00:00"),
        ("2026-01-01T22:30:00+00:00", "2026-07-01", "2026-07-01T21:30:00+00:00"),
        ("2026-01-01T22:30:00+00:00", "2026-03-29", "2026-03-29T21:30:00+00:00"),
        ("2026-07-01T21:30:00+00:00", "2026-10-25", "2026-10-25T22:30:00+00:00"),
        ("2026-01-01T01:30:00+00:00", "2026-03-29", "2026-03-29T01:30:00+00:00"),
        ("2026-01-01T01:30:00+00:00", "2026-10-25", "2026-10-25T00:30:00+00:00"),
        ("2026-01-01T08:00:00", "2026-12-01", "2026-12-01T08:00:00"),
    ],
)
def test_a_new_date_keeps_the_time_of_day(there: str | None, day: str, written: str) -> None:
    assert to_caldav({"due": day}, DUE=there) == {"DUE": written}


@pytest.mark.parametrize(
    ("day", "moment"),
    [("2026-03-29", "10:00"), ("2026-10-25", "11:00"), ("2026-01-01", "11:00"), ("2026-07-01", "10:00")],
)
def test_where_only_moments_are_known_a_date_is_noon(day: str, moment: str) -> None:
    assert to_deck({"due": day}) == {"duedate": f"{day}T{moment}:00+00:00"}


def test_the_same_day_is_not_written_again() -> None:
    assert to_deck({"due": "2026-12-02"}, duedate="2026-12-01T23:30:00+00:00") == {}


def test_another_time_of_the_same_day_is_no_edit() -> None:
    before, after = on_deck(duedate="2026-12-01T08:00:00+00:00"), on_deck(duedate="2026-12-01T12:00:00+00:00")
    assert DECK.changes(before, after) == {}


def test_a_date_is_cleared() -> None:
    assert to_deck({"due": None}, duedate=STAMP) == {"duedate": None}


def test_a_due_date_beside_a_start_with_a_time_gets_a_time_too() -> None:
    assert to_caldav({"due": "2026-12-05"}, DTSTART="2026-12-01T08:00:00+00:00") == {"DUE": "2026-12-05T08:00:00+00:00"}
    assert to_caldav({"start": "2026-12-01"}, DUE="2026-12-05T08:00:00") == {"DTSTART": "2026-12-01T08:00:00"}


def test_a_due_date_on_the_day_of_the_start_is_not_before_it() -> None:
    early, late = "2026-12-01T08:00:00+00:00", "2026-12-01T15:00:00+00:00"
    assert to_caldav({"due": "2026-12-01"}, DTSTART=late, DUE="2026-12-05T08:00:00+00:00") == {"DUE": late}
    assert to_caldav({"due": "2026-12-01"}, DTSTART=early, DUE="2026-12-05T15:00:00+00:00") == {"DUE": late}
    assert to_caldav({"start": "2026-12-01"}, DTSTART="2026-11-05T15:00:00+00:00", DUE=early) == {"DTSTART": early}
    wanted: dict[str, Value] = {"start": "2026-12-01", "due": "2026-12-02"}
    assert to_caldav(wanted, DTSTART="2026-11-05T15:00:00+00:00", DUE=early) == {
        "DTSTART": late,
        "DUE": "2026-12-02T08:00:00+00:00",
    }


def test_a_due_date_beside_a_start_without_a_time_has_none() -> None:
    assert to_caldav({"due": "2026-12-05"}, DTSTART="2026-12-01") == {"DUE": "2026-12-05"}


def test_a_date_that_is_none_cannot_be_shown() -> None:
    assert set(CALDAV.write({"due": "bald"}, todo(), PLAIN, NOBODY, AT).unshowable) == {"due"}


def test_a_day_that_never_was_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="2011-12-30 is not a day in Pacific/Apia"):
        placed("2011-12-30", None, ZoneInfo("Pacific/Apia"), as_moment=True)


def test_a_moment_before_all_time_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="0001-01-01 is out of range"):
        placed("0001-01-01", "2026-01-01T15:30:00+00:00", ZoneInfo("Asia/Tokyo"), as_moment=True)


ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "UTC", "America/St_Johns", "Asia/Beirut", "Pacific/Kiritimati")]


@given(
    st.dates(date(1902, 1, 1), date(2199, 12, 31)),
    st.datetimes(datetime(1902, 1, 1), datetime(2199, 12, 31)),
    st.sampled_from(["moment", "naive", "date", "nothing"]),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_a_date_survives_whatever_is_there(
    day: date, there: datetime, shape: str, zone: ZoneInfo, as_moment: bool
) -> None:
    moment = there.replace(microsecond=0)
    shapes: dict[str, Native] = {
        "moment": moment.replace(tzinfo=UTC).isoformat(),
        "naive": moment.isoformat(),
        "date": moment.date().isoformat(),
        "nothing": None,
    }
    written = placed(day.isoformat(), shapes[shape], zone, as_moment=as_moment)
    assert day_of(written, zone) == day.isoformat()


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))
def test_the_clock_on_the_wall_shows_the_same_time_after_a_move(day: date, there: datetime) -> None:
    current = there.replace(microsecond=0, tzinfo=UTC)
    written = datetime.fromisoformat(placed(day.isoformat(), current.isoformat(), BERLIN, as_moment=True))
    wall = datetime.combine(day, current.astimezone(BERLIN).time())
    skipped = wall.replace(tzinfo=BERLIN).astimezone(UTC).astimezone(BERLIN).replace(tzinfo=None) != wall
    assert written.astimezone(BERLIN).replace(tzinfo=None) == wall + timedelta(hours=1 if skipped else 0)


def test_what_is_done_today_is_not_done_in_the_future() -> None:
    """Ticked off in the morning: noon would still be to come."""
    morning = int(datetime(2026, 7, 1, 6, tzinfo=UTC).timestamp())
    today = CALDAV.write({"status": "done", "completed_on": "2026-07-01"}, todo(), PLAIN, NOBODY, morning)
    assert today.fields["COMPLETED"] == "2026-07-01T06:00:00+00:00"
    before = CALDAV.write({"status": "done", "completed_on": "2026-06-30"}, todo(), PLAIN, NOBODY, morning)
    assert before.fields["COMPLETED"] == "2026-06-30T10:00:00+00:00"
