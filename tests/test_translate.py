"""Translating: texts, kinds, references, what is absent, and new records. One line per promise."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from connectors.base import Native
from mappings.canonical import Kind, Value
from mappings.schema import load, shipped
from mappings.translate import Translator, Vocabulary, Writing
from tests.translating import (
    AT,
    BERLIN,
    BUILD,
    CALDAV,
    DECK,
    LABELS,
    MEMORY,
    NOBODY,
    PLAIN,
    STACKS,
    STAMP,
    Who,
    board,
    card,
    on_caldav,
    on_deck,
    said,
    to_caldav,
    to_deck,
    todo,
)

# ---- text


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
    assert reading.problems == {"title": "the title has 300 characters, at most 255 are possible: shorten it"}
    assert to_deck({"title": "kurz"}, title="x" * 300) == {}


@pytest.mark.parametrize("title", ["", "  ", None, 5, True])
def test_a_record_without_a_title_says_so(title: Native) -> None:
    assert on_deck(title=title).problems == {"title": "has no title: give it one"}


def test_a_title_of_255_characters_is_none() -> None:
    assert said(on_deck(title="ü" * 255), "title") == {"ü" * 255}


def test_a_title_over_the_limit_of_the_platform_cannot_be_shown() -> None:
    writing = DECK.write({"title": "x" * 256}, card(), board(), NOBODY, AT)
    assert writing == Writing(
        unshowable={"title": "the title has 256 characters, at most 255 are possible here: shorten it"}
    )


def test_no_title_cannot_be_shown() -> None:
    assert set(DECK.write({"title": None}, card(), board(), NOBODY, AT).unshowable) == {"title"}


def test_the_title_of_raw_fields() -> None:
    assert (DECK.title({"title": " a "}), DECK.title({}), DECK.title({"title": 3})) == ("a", "", "")


# ---- kinds


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
    assert reading.problems == {"kind": "is goal, milestone at once, and taken as goal: keep one"}


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
    with pytest.raises(ValueError, match="the kind goal cannot be kept here"):
        small.create(Kind.GOAL, {"title": "x"}, PLAIN, NOBODY, AT)


# ---- references (R13)


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


# ---- absent and locked (R7)


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
    assert writing == Writing({"title": "neu"}, frozenset({"title"}), locked=frozenset({"due", "status"}))


def test_a_locked_field_that_agrees_is_shown() -> None:
    writing = DECK.write({"title": "Karte"}, card(), board(), NOBODY, AT, locked=frozenset({"title"}))
    assert writing == Writing({}, frozenset({"title"}))


# ---- creating and archiving


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


@pytest.mark.parametrize(
    ("trackers", "chosen"),
    [
        ({"1": "Fehler", "2": "Feature", "9": "Aufgabe"}, "9"),
        ({"1": "Bug", "2": "Feature", "3": "Support", "7": "TASK"}, "7"),
        ({"1": "Fehler", "2": "Feature", "3": "Unterstützung"}, "2"),
        ({"1": "Maßnahme", "2": "Fehler"}, "2"),
        ({"1": "Vorgang"}, "issue"),
    ],
)
def test_a_new_task_gets_the_first_tracker_of_the_mapping_that_is_there(trackers: dict[str, str], chosen: str) -> None:
    there = {"version": "Version", "issue": "Issue", **trackers}
    redmine = Translator(load(shipped("redmine.toml")), BERLIN)
    voc = Vocabulary(there={"type": there}, meant={"type": there}, bound={})
    assert redmine.create(Kind.TASK, {"title": "x"}, voc, NOBODY, AT).fields["type"] == chosen
    assert redmine.create(Kind.MILESTONE, {"title": "x"}, voc, NOBODY, AT).fields["type"] == "version"
