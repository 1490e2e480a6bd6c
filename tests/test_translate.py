"""Translating: what a record says, what was edited, what is shown, and what to write. One line per promise."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.base import NEW, Fields, Native
from mappings.canonical import FIELDS, STATUS, Kind, Value, cell_of, field_of, normal
from mappings.dates import day_of, placed
from mappings.schema import load, shipped
from mappings.translate import Reading, Translator, Vocabulary, Writing

BERLIN = ZoneInfo("Europe/Berlin")
AT = 1_790_000_000  # 2026-09-21 16:13:20 in Berlin
STAMP = "2026-09-21T14:13:20+00:00"

CALDAV = Translator(load(shipped("caldav.toml")), BERLIN)
DECK = Translator(load(shipped("nextcloud-deck.toml")), BERLIN)
MEMORY = Translator(load(shipped("memory.toml")), BERLIN)

STACKS = {"s1": "Offen", "s2": "In Arbeit", "s3": "Erledigt"}
LABELS = {"l1": "Meilenstein", "l2": "Presse", "l3": "öffentlich", "l4": "Baubeginn", "l5": "Ziel"}


@dataclass(frozen=True)
class Who:
    """Items by native id, and titles of milestones by item."""

    items: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    def item_of(self, native_id: str) -> str | None:
        return self.items.get(native_id)

    def native_of(self, item: str) -> str | None:
        return next((native for native, other in self.items.items() if other == item), None)

    def title_of(self, item: str) -> str:
        return self.titles[item]

    def milestone_titled(self, title: str) -> str | None:
        found = [item for item, other in self.titles.items() if normal(other) == normal(title)]
        return found[0] if len(found) == 1 else None


NOBODY = Who()
BUILD = Who({"n1": "m1"}, {"m1": "Baubeginn"})
PLAIN = Vocabulary()


def board(stacks: Mapping[str, str] = STACKS, labels: Mapping[str, str] = LABELS, **bound: str) -> Vocabulary:
    there = {"stack": dict(stacks), "labels": dict(labels)}
    return Vocabulary(there, there, {"labels": bound})


def card(**fields: Native) -> dict[str, Native]:
    blank: dict[str, Native] = {"title": "Karte", "description": "", "stack": "s1", "done": None, "archived": False}
    return blank | {"duedate": None, "startdate": None, "labels": ()} | fields


BOARD = board()


def todo(**fields: Native) -> dict[str, Native]:
    names = ["STATUS", "PERCENT_COMPLETE", "COMPLETED", "PRIORITY", "DUE", "DTSTART", "PARENT", "DESCRIPTION", "CLASS"]
    blank: dict[str, Native] = dict.fromkeys((name.replace("_", "-") for name in names), None)
    given = {name.replace("_", "-"): value for name, value in fields.items()}
    return blank | {"SUMMARY": "Aufgabe", "CATEGORIES": (), "DEPENDS-ON": ()} | given


def on_deck(voc: Vocabulary = BOARD, refs: Who = NOBODY, **fields: Native) -> Reading:
    return DECK.read(card(**fields), voc, refs)


def on_caldav(refs: Who = NOBODY, voc: Vocabulary = PLAIN, **fields: Native) -> Reading:
    return CALDAV.read(todo(**fields), voc, refs)


def to_deck(
    wanted: dict[str, Value], voc: Vocabulary = BOARD, refs: Who = NOBODY, **fields: Native
) -> dict[str, Native]:
    return DECK.write(wanted, card(**fields), voc, refs, AT).fields


def to_caldav(wanted: dict[str, Value], refs: Who = NOBODY, **fields: Native) -> dict[str, Native]:
    return CALDAV.write(wanted, todo(**fields), PLAIN, refs, AT).fields


def said(reading: Reading, cell: str) -> set[Value] | None:
    asserted = reading.asserted(cell)
    return None if asserted is None else set(asserted)


# ---- status: coarse values assert sets (R8) -------------------------------------------------------------------


def test_a_board_of_three_stacks_asserts_what_it_cannot_tell_apart() -> None:
    assert said(on_deck(stack="s1"), "status") == {"planned", "idea", "on_hold", "unknown"}
    assert said(on_deck(stack="s2"), "status") == {"in_progress", "ongoing"}
    assert said(on_deck(stack="s3"), "status") == {"done", "cancelled"}


def test_a_stack_that_is_there_is_asserted_by_no_other() -> None:
    voc = board({**STACKS, "s4": "Wartet"})
    assert said(on_deck(voc, stack="s1"), "status") == {"planned", "idea", "unknown"}
    assert said(on_deck(voc, stack="s4"), "status") == {"on_hold"}


def test_a_board_without_a_stack_for_planned_shows_it_as_the_next_in_the_chain() -> None:
    voc = board({"a": "Doing", "b": "Done"})
    assert said(on_deck(voc, stack="a"), "status") == set(STATUS) - {"done", "cancelled"}


def test_a_board_without_a_stack_for_work_in_progress_shows_it_as_planned() -> None:
    voc = board({"a": "To do", "b": "Done"})
    assert said(on_deck(voc, stack="a"), "status") == set(STATUS) - {"done", "cancelled"}


def test_two_stacks_of_one_meaning_assert_the_same() -> None:
    voc = board({**STACKS, "s0": "Backlog"})
    assert said(on_deck(voc, stack="s0"), "status") == said(on_deck(voc, stack="s1"), "status")


@pytest.mark.parametrize("title", ["OFFEN", " offen ", "To  do", unicodedata.normalize("NFD", "zu erledigen")])
def test_stack_titles_are_compared_loosely(title: str) -> None:
    assert "planned" in (on_deck(board({"a": title}), stack="a").asserted("status") or ())


def test_a_card_in_an_unknown_stack_has_no_status() -> None:
    reading = on_deck(board({**STACKS, "x": "Sonstiges"}), stack="x")
    assert said(reading, "status") is None
    assert reading.problems == {"status": 'the stack "Sonstiges" is not in the mapping of status'}


def test_the_status_of_a_card_in_an_unknown_stack_is_not_written() -> None:
    voc = board({**STACKS, "x": "Sonstiges"})
    assert DECK.write({"status": "done"}, card(stack="x"), voc, NOBODY, AT) == Writing()
    assert DECK.shows(on_deck(voc, stack="x"), "status", "done")


def test_a_card_that_is_ticked_off_in_an_unknown_stack_is_done_and_stays_there() -> None:
    voc = board({**STACKS, "x": "Sonstiges"})
    assert said(on_deck(voc, stack="x", done=STAMP), "status") == {"done", "cancelled"}
    assert to_deck({"status": "planned"}, voc, stack="x", done=STAMP) == {"done": None}


def test_renaming_a_stack_changes_nothing() -> None:
    before, after = board(), replace(board(), there={"stack": {**STACKS, "s2": "Fertig"}, "labels": LABELS})
    assert on_deck(before, stack="s2") == on_deck(after, stack="s2")


def test_a_stack_nobody_told_us_of_has_no_meaning() -> None:
    assert said(on_deck(stack="s9"), "status") is None


def test_an_edit_moves_the_card_to_the_first_stack_that_means_it() -> None:
    voc = board({"b": "Backlog", "a": "Offen", "c": "Doing"})
    assert to_deck({"status": "planned"}, voc, stack="c") == {"stack": "b"}


def test_a_card_whose_stack_agrees_is_not_moved() -> None:
    voc = board({"b": "Backlog", "a": "Offen", "c": "Doing"})
    assert to_deck({"status": "on_hold"}, voc, stack="a") == {}


def test_only_stacks_that_are_there_are_written_to() -> None:
    voc = Vocabulary({"stack": {"s2": "x", "s3": "Erledigt"}, "labels": {}}, {"stack": {"s1": "Offen", "s2": "Doing"}})
    assert to_deck({"status": "planned"}, voc, stack="s3", done=STAMP) == {"stack": "s2", "done": None}


def test_a_value_without_a_place_cannot_be_shown() -> None:
    writing = DECK.write({"status": "planned"}, card(stack="s3"), board({"s3": "Erledigt"}), NOBODY, AT)
    assert writing == Writing(unshowable={"status": "nothing here stands for the status planned"})


@pytest.mark.parametrize(
    ("native", "meant"),
    [
        ("NEEDS-ACTION", {"planned", "idea", "on_hold", "unknown"}),
        (None, {"planned", "idea", "on_hold", "unknown"}),
        ("IN-PROCESS", {"in_progress", "ongoing"}),
        ("COMPLETED", {"done"}),
        ("completed", {"done"}),
        ("CANCELLED", {"cancelled"}),
    ],
)
def test_caldav_says_four_statuses(native: str | None, meant: set[str]) -> None:
    assert said(on_caldav(STATUS=native), "status") == meant


def test_a_status_that_rfc_5545_does_not_know_is_left_alone() -> None:
    assert said(on_caldav(STATUS="FOO"), "status") is None
    assert to_caldav({"status": "done"}, STATUS="FOO") == {}


def test_no_status_and_needs_action_are_the_same_evidence() -> None:
    assert CALDAV.changes(on_caldav(STATUS=None), on_caldav(STATUS="NEEDS-ACTION")) == {}


def test_memory_tells_every_status_apart() -> None:
    fields = {"status": "idea", "title": "x"}
    assert said(MEMORY.read(fields, PLAIN, NOBODY), "status") == {"idea"}


# ---- done, its flag and its stamp ----------------------------------------------------------------------------


def test_a_card_that_is_ticked_off_is_done_on_that_day() -> None:
    reading = on_deck(stack="s1", done="2026-12-01T23:30:00+00:00")
    assert (said(reading, "status"), said(reading, "completed_on")) == ({"done", "cancelled"}, {"2026-12-02"})


def test_done_moves_the_card_and_ticks_it_off() -> None:
    assert to_deck({"status": "done"}, stack="s2") == {"stack": "s3", "done": STAMP}


def test_done_on_a_board_without_such_a_stack_only_ticks_off() -> None:
    assert to_deck({"status": "done"}, board({"s1": "Offen"}), stack="s1") == {"done": STAMP}


def test_done_on_a_known_day_is_stamped_at_noon_of_that_day() -> None:
    wanted: dict[str, Value] = {"status": "done", "completed_on": "2026-12-01"}
    assert to_deck(wanted, stack="s2") == {"stack": "s3", "done": "2026-12-01T11:00:00+00:00"}


def test_a_stamp_that_is_there_stays() -> None:
    assert to_caldav({"status": "done"}, COMPLETED="2026-01-05T07:00:00+00:00") == {"STATUS": "COMPLETED"}


def test_another_day_of_completion_keeps_the_time_of_day() -> None:
    wanted: dict[str, Value] = {"completed_on": "2026-07-02"}
    fields = to_deck(wanted, stack="s3", done="2026-12-01T07:15:00+00:00")
    assert fields == {"done": "2026-07-02T06:15:00+00:00"}


def test_not_done_unticks_and_moves_only_if_it_must() -> None:
    assert to_deck({"status": "planned"}, stack="s3", done=STAMP) == {"stack": "s1", "done": None}
    assert to_deck({"status": "planned"}, stack="s1", done=STAMP) == {"done": None}


def test_cancelled_where_no_stack_says_so_is_put_with_what_is_done_but_not_ticked_off() -> None:
    assert to_deck({"status": "cancelled"}, stack="s1") == {"stack": "s3"}
    assert to_deck({"status": "cancelled"}, board({"s1": "Offen"}), stack="s1") == {"done": STAMP}


def test_cancelled_has_a_stack_of_its_own_where_there_is_one() -> None:
    voc = board({**STACKS, "s4": "Eingestellt"})
    assert to_deck({"status": "cancelled"}, voc, stack="s3", done=STAMP) == {"stack": "s4", "done": None}


def test_a_card_in_the_stack_of_what_is_done_needs_no_tick() -> None:
    assert to_deck({"status": "done"}, stack="s3") == {}


def test_any_stamp_will_do_while_nobody_knows_the_day() -> None:
    assert DECK.shows(on_deck(stack="s3", done=STAMP), "completed_on", None)
    assert to_deck({"completed_on": None}, stack="s3", done=STAMP) == {}
    assert to_deck({"completed_on": None, "status": "done"}, stack="s1") == {"stack": "s3", "done": STAMP}


def test_a_stamp_of_what_is_not_done_is_cleared() -> None:
    assert not CALDAV.shows(on_caldav(COMPLETED=STAMP), "completed_on", None)
    assert to_caldav({"completed_on": None}, COMPLETED=STAMP) == {"COMPLETED": None}


def test_caldav_is_completed_with_a_stamp() -> None:
    assert to_caldav({"status": "done"}) == {"STATUS": "COMPLETED", "COMPLETED": STAMP}
    assert to_caldav({"status": "in_progress"}, STATUS="COMPLETED", COMPLETED=STAMP) == {
        "STATUS": "IN-PROCESS",
        "COMPLETED": None,
    }


def test_what_is_not_done_has_no_day_of_completion_on_deck() -> None:
    writing = DECK.write({"completed_on": "2026-12-01"}, card(stack="s1"), board(), NOBODY, AT)
    assert writing == Writing(unshowable={"completed_on": "only what is done has a date of completion here"})


def test_what_is_cancelled_keeps_a_stamp_that_is_wanted() -> None:
    wanted: dict[str, Value] = {"status": "cancelled", "completed_on": "2026-09-21"}
    assert to_caldav(wanted, STATUS="COMPLETED", COMPLETED=STAMP) == {"STATUS": "CANCELLED"}


def test_ticking_off_is_an_edit_of_status_and_day() -> None:
    changes = DECK.changes(on_deck(stack="s1"), on_deck(stack="s1", done=STAMP))
    assert changes == {"status": {"done", "cancelled"}, "completed_on": {"2026-09-21"}}


def test_moving_a_card_that_is_ticked_off_is_no_edit() -> None:
    assert DECK.changes(on_deck(stack="s1", done=STAMP), on_deck(stack="s2", done=STAMP)) == {}


def test_ticking_off_what_is_among_the_done_is_an_edit_of_the_day_only() -> None:
    changes = DECK.changes(on_deck(stack="s3"), on_deck(stack="s3", done=STAMP))
    assert changes == {"completed_on": {"2026-09-21"}}


def test_moving_between_stacks_of_one_meaning_is_an_edit() -> None:
    voc = board({**STACKS, "s0": "Backlog"})
    assert set(DECK.changes(on_deck(voc, stack="s1"), on_deck(voc, stack="s0"))) == {"status"}


# ---- priority, progress ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("native", "meant"),
    [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 3), (7, 3), (8, 3), (9, 3), (0, None), (None, None)],
)
def test_priorities_are_read(native: int | None, meant: int | None) -> None:
    assert said(on_caldav(PRIORITY=native), "priority") == {meant}


@pytest.mark.parametrize(("wanted", "native"), [(1, 1), (2, 5), (3, 9)])
def test_priorities_are_written(wanted: int, native: int) -> None:
    assert to_caldav({"priority": wanted}) == {"PRIORITY": native}


def test_no_priority_takes_the_property_away() -> None:
    assert to_caldav({"priority": None}, PRIORITY=5) == {"PRIORITY": None}
    assert to_caldav({"priority": None}, PRIORITY=0) == {}


def test_a_priority_that_agrees_is_not_touched() -> None:
    assert to_caldav({"priority": 1}, PRIORITY=3) == {}


def test_undefined_and_no_priority_are_the_same_evidence() -> None:
    assert CALDAV.changes(on_caldav(PRIORITY=None), on_caldav(PRIORITY=0)) == {}


@pytest.mark.parametrize("native", [10, -1, True, "1"])
def test_a_priority_out_of_range_is_a_problem(native: Native) -> None:
    assert "priority" in on_caldav(PRIORITY=native).problems


@pytest.mark.parametrize("native", [150, -1, True, "50"])
def test_progress_out_of_range_is_a_problem(native: Native) -> None:
    assert said(on_caldav(PERCENT_COMPLETE=native), "progress") is None
    assert to_caldav({"progress": 10}, PERCENT_COMPLETE=native) == {}


def test_progress_is_a_number() -> None:
    assert said(on_caldav(PERCENT_COMPLETE=40), "progress") == {40}
    assert to_caldav({"progress": 0}, PERCENT_COMPLETE=40) == {"PERCENT-COMPLETE": 0}


# ---- dates (R14) ----------------------------------------------------------------------------------------------


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


# ---- text -----------------------------------------------------------------------------------------------------


def test_text_is_read_with_plain_line_ends() -> None:
    assert said(on_caldav(DESCRIPTION="a\r\nb\rc \n\n"), "description") == {"a\nb\nc"}


def test_empty_text_is_nothing() -> None:
    assert said(on_deck(description=" \n"), "description") == {None}


def test_line_ends_and_blanks_at_the_end_are_no_edit() -> None:
    assert CALDAV.changes(on_caldav(DESCRIPTION="a\r\nb\n"), on_caldav(DESCRIPTION="a\nb")) == {}
    assert to_caldav({"description": "a\nb"}, DESCRIPTION="a\r\nb\n") == {}


def test_text_is_cleared() -> None:
    assert to_deck({"description": None}, description="x") == {"description": None}
    assert to_deck({"description": None}, description="") == {}


def test_a_title_is_stripped_and_its_normal_form_is_no_edit() -> None:
    composed, decomposed = "Maßnahme für Bürger", unicodedata.normalize("NFD", "Maßnahme für Bürger")
    assert said(on_deck(title=f" {composed}\r\n"), "title") == {composed}
    assert DECK.changes(on_deck(title=composed), on_deck(title=decomposed)) == {}
    assert to_deck({"title": composed}, title=decomposed) == {}


def test_a_title_of_300_characters_is_a_problem() -> None:
    reading = on_deck(title="x" * 300)
    assert said(reading, "title") is None
    assert reading.problems == {"title": "the title has 300 characters; 255 are the limit"}
    assert to_deck({"title": "kurz"}, title="x" * 300) == {}


@pytest.mark.parametrize("title", ["", "  ", None, 5, True])
def test_a_record_without_a_title_says_so(title: Native) -> None:
    assert on_deck(title=title).problems == {"title": "has no title"}


def test_a_title_of_255_characters_is_none() -> None:
    assert said(on_deck(title="ü" * 255), "title") == {"ü" * 255}


def test_a_title_over_the_limit_of_the_platform_cannot_be_shown() -> None:
    writing = DECK.write({"title": "x" * 256}, card(), board(), NOBODY, AT)
    assert writing == Writing(unshowable={"title": "the title has 256 characters; 255 are the limit here"})


def test_no_title_cannot_be_shown() -> None:
    assert set(DECK.write({"title": None}, card(), board(), NOBODY, AT).unshowable) == {"title"}


def test_the_title_of_raw_fields() -> None:
    assert (DECK.title({"title": " a "}), DECK.title({}), DECK.title({"title": 3})) == ("a", "", "")


# ---- kinds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "kind"), [("Meilenstein", "milestone"), ("MEASURE", "measure"), ("Aktivität", "action_field")]
)
def test_a_category_says_the_kind(label: str, kind: str) -> None:
    assert on_caldav(CATEGORIES=(label,)).kind == Kind(kind)


def test_without_one_it_is_a_task() -> None:
    assert on_caldav(CATEGORIES=("Presse",)).kind is Kind.TASK


def test_a_renamed_label_still_says_the_kind() -> None:
    voc = replace(board(), there={"stack": STACKS, "labels": {**LABELS, "l1": "Etappe"}})
    assert on_deck(voc, labels=("l1",)).kind is Kind.MILESTONE


def test_two_kinds_at_once_are_said() -> None:
    reading = on_caldav(CATEGORIES=("Meilenstein", "Ziel"))
    assert reading.kind is Kind.GOAL
    assert reading.problems == {"kind": "is goal and milestone at once; taken as goal"}


def test_memory_says_the_kind_in_a_field_of_its_own() -> None:
    assert MEMORY.read({"title": "x", "kind": "goal"}, PLAIN, NOBODY).kind is Kind.GOAL
    assert MEMORY.read({"title": "x", "kind": None}, PLAIN, NOBODY).kind is Kind.TASK
    assert set(MEMORY.read({"title": "x", "kind": "epic"}, PLAIN, NOBODY).problems) == {"kind"}


def test_a_kind_that_is_left_out_cannot_be_held() -> None:
    mapping = load(shipped("caldav.toml"))
    elements = {"milestone": ("Meilenstein",), "task": ()}
    small = Translator(
        mapping.model_copy(update={"kinds": mapping.kinds.model_copy(update={"elements": elements})}), BERLIN
    )
    assert (small.holds(Kind.MILESTONE), small.holds(Kind.GOAL)) == (True, False)
    with pytest.raises(ValueError, match="a goal cannot be kept here"):
        small.create(Kind.GOAL, {"title": "x"}, PLAIN, NOBODY, AT)


# ---- labels, visibility, milestones (R10) ---------------------------------------------------------------------


def test_labels_are_what_stands_for_nothing_else() -> None:
    reading = on_deck(refs=BUILD, labels=("l1", "l2", "l3", "l4"))
    assert {cell for cell in reading.cells if cell.startswith("labels:")} == {"labels:presse"}
    assert said(reading, "visibility") == {"public"}
    assert said(reading, "milestone") == {"m1"}


def test_a_label_that_is_not_there_is_asserted_to_be_missing() -> None:
    assert said(on_deck(), "labels:presse") == {None}


def test_each_side_spells_a_label_as_it_likes() -> None:
    assert said(on_caldav(CATEGORIES=("PRESSE",)), "labels:presse") == {"PRESSE"}
    assert to_caldav({"labels:presse": "Presse"}, CATEGORIES=("PRESSE",)) == {}


def test_a_label_is_added_under_its_own_spelling() -> None:
    assert to_caldav({"labels:presse": "Presse"}, CATEGORIES=("x",)) == {"CATEGORIES": ("Presse", "x")}


def test_a_label_is_added_by_its_option() -> None:
    assert to_deck({"labels:presse": "PRESSE"}, labels=("l1",)) == {"labels": ("l1", "l2")}


def test_a_label_that_the_board_does_not_have_is_new() -> None:
    assert to_deck({"labels:neu": "Neu"}) == {"labels": (NEW + "Neu",)}


def test_a_label_is_removed_however_it_is_spelled() -> None:
    assert to_caldav({"labels:presse": None}, CATEGORIES=("PRESSE", "Presse", "x")) == {"CATEGORIES": ("x",)}


def test_a_renamed_label_is_the_same_label() -> None:
    voc = replace(board(), there={"stack": STACKS, "labels": {**LABELS, "l2": "Öffentlichkeit"}})
    assert DECK.changes(on_deck(labels=("l2",)), on_deck(voc, labels=("l2",))) == {}
    assert to_deck({"labels:presse": "Presse"}, voc) == {"labels": ("l2",)}


def test_a_label_titled_like_a_renamed_one_cannot_be_told_from_it() -> None:
    voc = replace(board(), there={"stack": STACKS, "labels": {**LABELS, "l2": "Neu"}})
    unshowable = DECK.write({"labels:neu": "neu"}, card(), voc, NOBODY, AT).unshowable
    assert unshowable == {"labels:neu": '"Neu" still stands there for "Presse", which it was once called'}


def test_a_label_nobody_told_us_of_stays() -> None:
    assert to_deck({"labels:presse": "Presse"}, labels=("l99",)) == {"labels": ("l2", "l99")}


@pytest.mark.parametrize("title", ["Meilenstein", "milestone", "public", "Baubeginn"])
def test_a_label_that_stands_for_something_else_here_cannot_be_shown(title: str) -> None:
    cell = cell_of("labels", title)
    writing = CALDAV.write({cell: title}, todo(), PLAIN, BUILD, AT)
    assert (writing.fields, set(writing.unshowable)) == ({}, {cell})


def test_a_label_over_the_limit_cannot_be_shown() -> None:
    assert set(DECK.write({f"labels:{'x' * 101}": "x" * 101}, card(), board(), NOBODY, AT).unshowable)


def test_edits_of_labels_are_told_one_by_one() -> None:
    changes = CALDAV.changes(on_caldav(CATEGORIES=("a", "b")), on_caldav(CATEGORIES=("B", "C")))
    assert changes == {"labels:a": {None}, "labels:c": {"C"}}


def test_public_is_a_deliberate_element() -> None:
    assert said(on_caldav(), "visibility") == {"internal"}
    assert to_caldav({"visibility": "public"}, CATEGORIES=("a",)) == {"CATEGORIES": ("a", "öffentlich")}
    assert to_caldav({"visibility": "internal"}, CATEGORIES=("Public", "a", "öffentlich")) == {"CATEGORIES": ("a",)}
    assert to_deck({"visibility": "public"}) == {"labels": ("l3",)}


def test_a_milestone_is_an_element_titled_like_it() -> None:
    assert said(on_caldav(BUILD, CATEGORIES=("BAUBEGINN",)), "milestone") == {"m1"}
    assert to_caldav({"milestone": "m1"}, BUILD) == {"CATEGORIES": ("Baubeginn",)}
    assert to_deck({"milestone": "m1"}, refs=BUILD) == {"labels": ("l4",)}
    assert to_deck({"milestone": "m1"}, board(labels={}), BUILD) == {"labels": (NEW + "Baubeginn",)}


def test_a_bound_element_stands_for_its_milestone_whatever_that_is_called_now() -> None:
    renamed = Who({"n1": "m1"}, {"m1": "Spatenstich"})
    assert said(on_deck(board(l4="m1"), renamed, labels=("l4",)), "milestone") == {"m1"}
    assert to_deck({"milestone": "m1"}, board(l4="m1"), renamed) == {"labels": ("l4",)}


def test_a_bound_element_that_is_gone_is_not_written() -> None:
    assert to_deck({"milestone": "m1"}, board(labels={}, l4="m1"), BUILD) == {"labels": (NEW + "Baubeginn",)}


def test_an_element_is_bound_when_it_is_first_met() -> None:
    assert DECK.standing(card(labels=("l2", "l4")), board(), BUILD) == {"labels": {"l4": "m1"}}
    assert DECK.standing(card(labels=("l2", "l4")), board(l4="m1"), BUILD) == {}
    assert DECK.standing(card(labels=5), board(), BUILD) == {}
    assert MEMORY.standing({"milestone": "n1"}, PLAIN, BUILD) == {}


def test_no_milestone_takes_its_elements_away_and_leaves_the_rest() -> None:
    assert to_deck({"milestone": None}, refs=BUILD, labels=("l2", "l4", "l9")) == {"labels": ("l2", "l9")}


def test_another_milestone_replaces_the_first() -> None:
    two = Who({"n1": "m1", "n2": "m2"}, {"m1": "Baubeginn", "m2": "Eröffnung"})
    assert to_caldav({"milestone": "m2"}, two, CATEGORIES=("Baubeginn", "a")) == {"CATEGORIES": ("Eröffnung", "a")}


def test_of_two_milestones_the_first_is_taken_and_that_is_said() -> None:
    two = Who({"n1": "m1", "n2": "m2"}, {"m2": "Baubeginn", "m1": "Eröffnung"})
    reading = on_caldav(two, CATEGORIES=("Baubeginn", "Eröffnung"))
    assert said(reading, "milestone") == {"m1"}
    assert reading.problems == {"milestone": 'belongs to 2 milestones at once: "Eröffnung" and "Baubeginn"'}


def test_a_milestone_without_a_record_here_is_pending() -> None:
    assert CALDAV.write({"milestone": "m1"}, todo(), PLAIN, Who({}, {"m1": "Baubeginn"}), AT) == Writing(
        pending={"milestone": "m1"}
    )


def test_two_milestones_of_one_title_cannot_be_told_apart() -> None:
    two = Who({"n1": "m1", "n2": "m2"}, {"m1": "Baubeginn", "m2": "baubeginn"})
    assert set(CALDAV.write({"milestone": "m1"}, todo(), PLAIN, two, AT).unshowable) == {"milestone"}
    assert to_deck({"milestone": "m1"}, board(l4="m1"), two) == {"labels": ("l4",)}


def test_a_milestone_called_like_a_kind_cannot_be_told_from_it() -> None:
    assert set(CALDAV.write({"milestone": "m"}, todo(), PLAIN, Who({"n": "m"}, {"m": "Ziel"}), AT).unshowable)


# ---- references (R13) -----------------------------------------------------------------------------------------


def test_a_parent_is_read_and_written_by_native_id() -> None:
    assert said(on_caldav(BUILD, PARENT="n1"), "parent") == {"m1"}
    assert to_caldav({"parent": "m1"}, BUILD) == {"PARENT": "n1"}
    assert to_caldav({"parent": None}, BUILD, PARENT="n1") == {"PARENT": None}


def test_a_parent_nobody_knows_is_waited_for_and_left_alone() -> None:
    reading = on_caldav(PARENT="n9")
    assert said(reading, "parent") is None
    assert reading.waiting == {"n9"}
    assert not reading.problems
    assert to_caldav({"parent": None}, PARENT="n9") == {}


def test_a_parent_without_a_record_here_is_pending() -> None:
    assert CALDAV.write({"parent": "p"}, todo(), PLAIN, NOBODY, AT) == Writing(pending={"parent": "p"})


def test_dependencies_merge_one_by_one() -> None:
    two = Who({"n1": "i1", "n2": "i2"})
    reading = CALDAV.read(todo() | {"DEPENDS-ON": ("n1", "n9")}, PLAIN, two)
    assert (said(reading, "depends_on:i1"), said(reading, "depends_on:i2")) == ({"i1"}, {None})
    assert reading.waiting == {"n9"}
    current = todo() | {"DEPENDS-ON": ("n1", "n9")}
    wanted: dict[str, Value] = {"depends_on:i1": None, "depends_on:i2": "i2"}
    assert CALDAV.write(wanted, current, PLAIN, two, AT).fields == {"DEPENDS-ON": ("n2", "n9")}
    assert CALDAV.write({"depends_on:i3": "i3"}, current, PLAIN, two, AT).pending == {"depends_on:i3": "i3"}


# ---- absent and locked (R7) -----------------------------------------------------------------------------------


def test_what_an_answer_did_not_carry_is_absent() -> None:
    fields = {name: value for name, value in card().items() if name != "labels"}
    reading = DECK.read(fields, board(), NOBODY)
    assert reading.carried == DECK.fields - {"labels", "milestone", "visibility"}
    assert DECK.write({"labels:presse": "Presse"}, fields, board(), NOBODY, AT) == Writing()
    assert DECK.shows(reading, "labels:presse", "Presse")


def test_a_field_carried_by_one_of_two_readings_was_not_edited() -> None:
    fields = todo(DUE="2026-12-01", CATEGORIES=("a",))
    less = {name: value for name, value in fields.items() if name not in ("DUE", "CATEGORIES")}
    with_it, without = CALDAV.read(fields, PLAIN, NOBODY), CALDAV.read(less, PLAIN, NOBODY)
    assert CALDAV.changes(with_it, without) == {}
    assert CALDAV.changes(without, with_it) == {}


def test_a_field_that_was_cleared_is_empty() -> None:
    assert CALDAV.changes(on_caldav(DUE="2026-12-01"), on_caldav()) == {"due": {None}}


def test_what_the_platform_cannot_hold_is_absent() -> None:
    assert "priority" not in DECK.fields
    assert said(on_deck(), "priority") is None
    assert DECK.write({"priority": 1}, card(), board(), NOBODY, AT) == Writing()


def test_locked_fields_are_not_written() -> None:
    wanted: dict[str, Value] = {"title": "neu", "due": "2026-12-01", "status": "done"}
    writing = DECK.write(wanted, card(), board(), NOBODY, AT, locked=frozenset({"duedate", "done"}))
    assert writing == Writing({"title": "neu"}, frozenset({"title"}))


def test_a_locked_field_that_agrees_is_shown() -> None:
    writing = DECK.write({"title": "Karte"}, card(), board(), NOBODY, AT, locked=frozenset({"title"}))
    assert writing == Writing({}, frozenset({"title"}))


# ---- creating and archiving -----------------------------------------------------------------------------------


def test_a_new_card_has_its_kind_and_its_values_and_nothing_empty() -> None:
    cells: dict[str, Value] = {"title": "Neu", "status": "idea", "due": "2026-12-01", "description": None}
    cells |= {"labels:presse": "Presse", "visibility": "public", "milestone": "m1", "completed_on": None, "start": None}
    writing = DECK.create(Kind.MILESTONE, cells, board(), BUILD, AT)
    assert writing.fields == {
        "title": "Neu",
        "stack": "s1",
        "duedate": "2026-12-01T11:00:00+00:00",
        "labels": ("l1", "l2", "l3", "l4"),
    }
    assert writing.shown == cells.keys()


def test_a_new_task_says_its_status() -> None:
    writing = CALDAV.create(Kind.TASK, {"title": "Neu", "status": "planned", "priority": None}, PLAIN, NOBODY, AT)
    assert writing.fields == {"SUMMARY": "Neu", "STATUS": "NEEDS-ACTION"}


def test_a_new_record_that_is_done_is_stamped() -> None:
    cells: dict[str, Value] = {"title": "Neu", "status": "done", "completed_on": None}
    assert DECK.create(Kind.TASK, cells, board(), NOBODY, AT).fields == {"title": "Neu", "stack": "s3", "done": STAMP}
    cells["completed_on"] = "2026-12-01"
    assert CALDAV.create(Kind.TASK, cells, PLAIN, NOBODY, AT).fields["COMPLETED"] == "2026-12-01T11:00:00+00:00"


def test_a_new_record_in_memory_says_its_kind() -> None:
    fields = MEMORY.create(Kind.GOAL, {"title": "Neu", "priority": 2}, PLAIN, NOBODY, AT).fields
    assert fields == {"title": "Neu", "kind": "goal", "priority": 2}


def test_references_of_a_new_record_may_be_pending() -> None:
    writing = CALDAV.create(Kind.TASK, {"title": "Neu", "parent": "p"}, PLAIN, NOBODY, AT)
    assert (writing.fields, writing.pending) == ({"SUMMARY": "Neu"}, {"parent": "p"})


def test_archived_is_a_flag_on_deck_and_a_status_on_caldav() -> None:
    assert (DECK.archive(), DECK.unarchive()) == ({"archived": True}, {"archived": False})
    assert (CALDAV.archive(), CALDAV.unarchive()) == ({"STATUS": "CANCELLED"}, {})
    assert (DECK.is_archived(card(archived=True)), DECK.is_archived(card())) == (True, False)
    assert (on_caldav(STATUS="CANCELLED").archived, on_caldav().archived) == (True, False)


def test_one_is_not_true() -> None:
    assert not DECK.is_archived(card(archived=1))


def test_a_platform_without_an_archive_archives_nothing() -> None:
    none = Translator(load(shipped("caldav.toml")).model_copy(update={"archive": None}), BERLIN)
    assert (none.archive(), none.unarchive(), none.is_archived({"STATUS": "CANCELLED"})) == ({}, {}, False)


# ---- for all records ------------------------------------------------------------------------------------------

WHO = Who(
    {"n1": "m1", "n2": "m2", "n3": "i3", "n4": "i4"},
    {"m1": "Baubeginn", "m2": "Eröffnung", "m3": "Baubeginn 2", "m4": "Ziel"},
)
TITLES = ["Meilenstein", "Presse", "presse", "öffentlich", "Public", "Baubeginn", "eröffnung", "Ziel", "Haushalt", "+x"]
STACK_TITLES = ["Offen", "Backlog", "Doing", "Erledigt", "Wartet", "Eingestellt", "Sonstiges", "Ideen"]

days = st.none() | st.dates(date(2024, 1, 1), date(2028, 12, 31)).map(date.isoformat)
moments = st.none() | st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0).isoformat()
)
native_days = days | moments | st.sampled_from(["2026-12-01T08:00:00", "", "bald"])
texts = st.none() | st.text(st.sampled_from("aB ü\n\r"), max_size=6)
sets = st.sets(st.sampled_from(TITLES), max_size=4).map(lambda found: tuple(sorted(found)))
natives = st.none() | st.sampled_from(["n1", "n3", "n9"])
junk: st.SearchStrategy[Native] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | native_days
    | st.lists(st.text(max_size=3), max_size=3).map(tuple)
    | st.sampled_from([STAMP, "s1", "l1", "COMPLETED", ("l1", "l3"), 3])
)

todos = st.fixed_dictionaries(
    {
        "SUMMARY": st.sampled_from(["Aufgabe", "", " x ", "y" * 300]),
        "DESCRIPTION": texts,
        "STATUS": st.sampled_from([None, "NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED", "FOO"]),
        "PERCENT-COMPLETE": st.none() | st.integers(0, 150),
        "COMPLETED": moments,
        "PRIORITY": st.none() | st.integers(0, 11),
        "DUE": native_days,
        "DTSTART": native_days,
        "CATEGORIES": sets,
        "PARENT": natives,
        "DEPENDS-ON": st.sets(st.sampled_from(["n1", "n3", "n9"])).map(lambda found: tuple(sorted(found))),
        "CLASS": st.none(),
    }
)


def vocabulary(stacks: list[str], bound: dict[str, str]) -> Vocabulary:
    return board(
        {title[:3]: title for title in stacks}, {f"l{i}": title for i, title in enumerate(TITLES[:-1])}, **bound
    )


vocabularies = st.builds(
    vocabulary,
    st.lists(st.sampled_from(STACK_TITLES), min_size=1, unique=True),
    st.dictionaries(st.sampled_from(["l5", "l8", "l99"]), st.sampled_from(["m1", "m3"])),
)
cards = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["Karte", "", " x ", "y" * 300]),
        "description": texts,
        "stack": st.sampled_from([title[:3] for title in STACK_TITLES]),
        "done": moments,
        "archived": st.booleans(),
        "duedate": moments,
        "startdate": moments,
        "labels": st.sets(st.integers(0, 11).map("l{}".format), max_size=4).map(lambda found: tuple(sorted(found))),
    }
)
memories = st.fixed_dictionaries(
    {
        "title": st.just("Satz"),
        "description": texts,
        "status": st.sampled_from([*STATUS, None]),
        "progress": st.none() | st.integers(0, 100),
        "completed_on": days,
        "priority": st.sampled_from([None, 1, 2, 3]),
        "start": days,
        "due": days,
        "parent": natives,
        "milestone": natives,
        "depends_on": st.sets(st.sampled_from(["n1", "n3", "n9"])).map(lambda found: tuple(sorted(found))),
        "labels": sets,
        "visibility": st.sampled_from([None, "internal", "public"]),
        "kind": st.sampled_from([None, "task", "milestone"]),
        "archived": st.booleans(),
    }
)
WISHES: dict[str, st.SearchStrategy[Value]] = {
    "title": st.sampled_from(["Aufgabe", "Neu", "z" * 256]),
    "description": st.sampled_from([None, "a\nb", "ü"]),
    "status": st.sampled_from(STATUS),
    "progress": st.sampled_from([None, 0, 50, 100]),
    "completed_on": days,
    "priority": st.sampled_from([None, 1, 2, 3]),
    "start": days,
    "due": days,
    "parent": st.sampled_from([None, "m1", "i3", "i8"]),
    "milestone": st.sampled_from([None, "m1", "m2", "m3", "m4"]),
    "depends_on:m1": st.sampled_from([None, "m1"]),
    "depends_on:i4": st.sampled_from([None, "i4"]),
    "depends_on:i8": st.sampled_from([None, "i8"]),
    "labels:presse": st.sampled_from([None, "Presse", "PRESSE"]),
    "labels:neu": st.sampled_from([None, "Neu"]),
    "labels:ziel": st.sampled_from([None, "Ziel"]),
    "labels:baubeginn": st.sampled_from([None, "Baubeginn"]),
    "visibility": st.sampled_from(["internal", "public"]),
}
wishes = st.fixed_dictionaries({}, optional=WISHES)

scenes = st.one_of(
    st.tuples(st.just(CALDAV), todos, st.just(PLAIN)),
    st.tuples(st.just(DECK), cards, vocabularies),
    st.tuples(st.just(MEMORY), memories, st.just(PLAIN)),
)
NATIVES = {  # which native fields an edit of a canonical field may touch
    platform: {
        name: {getattr(table, key, None) for key in ("native", "flag", "stamp")} for name, table in tables.items()
    }
    for platform, tables in [
        (platform, load(shipped(f"{name}.toml")).fields.tables())
        for name, platform in [("caldav", CALDAV), ("nextcloud-deck", DECK), ("memory", MEMORY)]
    ]
}
for platform in NATIVES:
    NATIVES[platform] = {name: NATIVES[platform].get(name, set()) for name in FIELDS}


def elements(value: Native) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return value


Scenery = tuple[Translator, Fields, Vocabulary]


@given(scenes, wishes)
def test_what_is_written_is_shown(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    after = platform.read({**fields, **writing.fields}, voc, WHO)
    assert all(platform.shows(after, cell, wanted[cell]) for cell in writing.shown)


@given(scenes, wishes)
def test_every_wish_is_shown_pending_unshowable_or_absent(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    carried = platform.read(fields, voc, WHO).carried
    assert sorted([*writing.shown, *writing.pending, *writing.unshowable]) == sorted(
        cell for cell in wanted if field_of(cell).name in carried
    )


@given(scenes, wishes)
def test_nothing_is_written_while_everything_is_shown(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    again = {cell: wanted[cell] for cell in writing.shown}
    assert platform.write(again, {**fields, **writing.fields}, voc, WHO, AT + 99).fields == {}


@given(scenes, st.data())
def test_writing_what_was_read_writes_nothing(scene: Scenery, data: st.DataObject) -> None:
    platform, fields, voc = scene
    reading = platform.read(fields, voc, WHO)
    wanted = {cell: data.draw(st.sampled_from(sorted(values, key=str))) for cell, values in reading.cells.items()}
    assert platform.write(wanted, fields, voc, WHO, AT).fields == {}


@given(scenes, wishes)
def test_an_edit_changes_nothing_else(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    before, after = (
        platform.read(fields, voc, WHO),
        platform.read({**fields, **writing.fields}, voc, WHO),
    )
    allowed = set(writing.shown) | ({"completed_on"} if "status" in wanted else set())
    assert set(platform.changes(before, after)) <= allowed
    assert (before.kind, before.waiting) == (after.kind, after.waiting)
    assert writing.fields.keys() <= {native for cell in wanted for native in NATIVES[platform][field_of(cell).name]}
    for native, value in writing.fields.items():
        if native in ("labels", "CATEGORIES"):
            told = voc.there.get(native, {})
            unknown = {element for element in elements(fields[native]) if told and element not in told}
            assert unknown <= set(elements(value))


@given(scenes, wishes)
def test_only_what_differs_is_sent(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    assert all(value != fields[native] for native, value in writing.fields.items())


@given(scenes, wishes, st.data())
def test_locked_fields_stay(scene: Scenery, wanted: dict[str, Value], data: st.DataObject) -> None:
    platform, fields, voc = scene
    locked = frozenset(data.draw(st.sets(st.sampled_from(sorted(fields)))))
    writing = platform.write(wanted, fields, voc, WHO, AT, locked)
    after = platform.read({**fields, **writing.fields}, voc, WHO)
    assert locked.isdisjoint(writing.fields)
    assert all(platform.shows(after, cell, wanted[cell]) for cell in writing.shown)


@given(cards, vocabularies, st.data())
def test_renaming_columns_and_labels_changes_no_reading(fields: Fields, voc: Vocabulary, data: st.DataObject) -> None:
    there = {
        native: {option: data.draw(st.sampled_from([*TITLES, *STACK_TITLES])) for option in options}
        for native, options in voc.there.items()
    }
    assert DECK.read(fields, replace(voc, there=there), WHO) == DECK.read(fields, voc, WHO)


@given(scenes, st.data())
def test_reading_never_fails(scene: Scenery, data: st.DataObject) -> None:
    platform, fields, voc = scene
    broken = dict(fields)
    for native in data.draw(st.lists(st.sampled_from(sorted(fields)))):
        broken[native] = data.draw(junk)
    for native in data.draw(st.sets(st.sampled_from(sorted(fields)), max_size=2)):
        broken.pop(native, None)
    for vocabulary in (voc, PLAIN):
        reading = platform.read(broken, vocabulary, WHO)
        assert platform.changes(reading, reading) == {}
        assert reading.inputs.keys() == reading.cells.keys()
        assert all(isinstance(hash(evidence), int) for evidence in reading.inputs.values())
        assert {field_of(cell).name for cell in reading.cells} <= reading.carried <= platform.fields
        assert all(field_of(cell).many or reading.asserted(cell) for cell in reading.cells)


@given(scenes, wishes, st.sampled_from(Kind))
def test_a_new_record_shows_what_was_asked(scene: Scenery, wanted: dict[str, Value], kind: Kind) -> None:
    platform, fields, voc = scene
    wanted = {"title": "Neu", **wanted}
    assume(len(str(wanted["title"])) < 256)
    writing = platform.create(kind, wanted, voc, WHO, AT)
    blank: dict[str, Native] = {name: () if isinstance(value, tuple) else None for name, value in fields.items()}
    reading = platform.read({**blank, **writing.fields}, voc, WHO)
    assert reading.kind is kind
    assert all(platform.shows(reading, cell, wanted[cell]) for cell in writing.shown)
    assert not [value for value in writing.fields.values() if value in (None, (), "")]


@given(scenes, wishes)
def test_edits_are_found_by_comparing_readings(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    before = platform.read(fields, voc, WHO)
    writing = platform.write(wanted, fields, voc, WHO, AT)
    after = platform.read({**fields, **writing.fields}, voc, WHO)
    new = {cell for cell in writing.shown if not platform.shows(before, cell, wanted[cell])}
    new -= {cell for cell in new if field_of(cell).name not in after.carried}
    new -= {"completed_on"} if wanted.get("completed_on") is None else set()  # any stamp shows that nobody knows
    assert new <= set(platform.changes(before, after))


def test_every_field_of_the_model_is_wished_for() -> None:
    assert {field_of(cell).name for cell in WISHES} == set(FIELDS)
