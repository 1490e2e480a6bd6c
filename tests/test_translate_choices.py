"""Choices: coarse values assert sets (R8), done has a flag or a stamp, priorities and progress."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.base import Native
from mappings.canonical import STATUS, Kind, Value
from mappings.schema import MappingError, load
from mappings.translate import Translator, Vocabulary, Writing
from tests.translating import (
    AT,
    BERLIN,
    CALDAV,
    DECK,
    LABELS,
    MEMORY,
    NOBODY,
    PLAIN,
    STACKS,
    STAMP,
    board,
    card,
    on_caldav,
    on_deck,
    said,
    to_caldav,
    to_deck,
)

# ---- status


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
    assert reading.problems == {
        "status": "the stack “Sonstiges” is not in the mapping of status: add it, or choose another"
    }


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


# ---- done, its flag and its stamp


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


def test_an_old_stamp_is_good_enough_for_what_is_done_on_a_day_nobody_knows() -> None:
    assert to_caldav({"status": "done", "completed_on": None}, COMPLETED=STAMP) == {"STATUS": "COMPLETED"}


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


# ---- priority, progress


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


# ---- records that know less than the others

COARSE = """
platform = "tracker"
[kinds]
native = "type"
values = { version = "milestone", issue = "task" }
[fields.title]
native = "title"
[fields.status]
native = "status"
[fields.status.values]
new = "planned"
doing = "in_progress"
closed = "done"
rejected = "cancelled"
[fields.status.shown_as]
idea = "planned"
on_hold = "planned"
unknown = "planned"
ongoing = "in_progress"
in_progress = "planned"
cancelled = "done"
[fields.status.coarse]
native = "type"
value = "version"
knows = ["planned", "done"]
"""


@pytest.fixture
def tracker(tmp_path: Path) -> Translator:
    (tmp_path / "tracker.toml").write_text(COARSE, encoding="utf-8")
    return Translator(load(tmp_path / "tracker.toml"), BERLIN)


def test_a_record_that_knows_less_asserts_more(tracker: Translator) -> None:
    def asserted(type: str, status: str) -> set[Value] | None:
        return said(tracker.read({"type": type, "title": "eins", "status": status}, PLAIN, NOBODY), "status")

    assert asserted("issue", "new") == {"planned", "idea", "on_hold", "unknown"}
    assert asserted("version", "new") == set(STATUS) - {"done", "cancelled"}
    assert asserted("issue", "closed") == {"done"}
    assert asserted("version", "closed") == {"done", "cancelled"}


def test_what_a_record_does_not_know_is_not_written_to_it(tracker: Translator) -> None:
    def fields(type: str, wanted: str) -> dict[str, Native]:
        record: dict[str, Native] = {"type": type, "title": "eins", "status": "new"}
        return tracker.write({"status": wanted}, record, PLAIN, NOBODY, AT).fields

    assert [fields("issue", wanted) for wanted in ("in_progress", "cancelled", "done")] == [
        {"status": "doing"},
        {"status": "rejected"},
        {"status": "closed"},
    ]
    assert [fields("version", wanted) for wanted in ("in_progress", "cancelled", "done")] == [
        {},
        {"status": "closed"},
        {"status": "closed"},
    ]


def test_a_new_record_that_knows_less_gets_the_nearest(tracker: Translator) -> None:
    made = tracker.create(Kind.MILESTONE, {"title": "eins", "status": "in_progress"}, PLAIN, NOBODY, AT)
    assert made.fields == {"type": "version", "title": "eins", "status": "new"}
    assert "status" in made.shown


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('knows = ["planned", "finished"]', 'fields.status.coarse.knows = "finished": is not a value of status.'),
        ('knows = ["planned"]', "fields.status.shown_as.done: nothing shows done."),
        ("knows = []", "nothing shows"),
    ],
)
def test_what_such_a_record_knows_has_to_make_sense(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / "tracker.toml").write_text(COARSE.replace('knows = ["planned", "done"]', line), encoding="utf-8")
    with pytest.raises(MappingError, match=re.escape(sentence)):
        load(tmp_path / "tracker.toml")
