"""Elements of sets (R10): labels, visibility and milestones share one native field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import NEW
from mappings.canonical import cell_of
from mappings.schema import load, shipped
from mappings.tables import Choice
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
    assert unshowable == {"labels:neu": "“Neu” still stands there for “Presse”, which it was once called"}


def test_a_label_nobody_told_us_of_stays() -> None:
    assert to_deck({"labels:presse": "Presse"}, labels=("l99",)) == {"labels": ("l2", "l99")}


@pytest.mark.parametrize("title", ["Meilenstein", "milestone", "public", "Baubeginn"])
def test_a_label_that_stands_for_something_else_here_cannot_be_shown(title: str) -> None:
    cell = cell_of("labels", title)
    writing = CALDAV.write({cell: title}, todo(), PLAIN, BUILD, AT)
    assert (writing.fields, set(writing.unshowable)) == ({}, {cell})


def test_a_label_over_the_limit_cannot_be_shown() -> None:
    assert set(DECK.write({f"labels:{'x' * 101}": "x" * 101}, card(), board(), NOBODY, AT).unshowable)


def test_the_element_of_a_milestone_is_shortened_where_there_is_no_room() -> None:
    title = "Baubeginn " + "x" * 120
    shown = title[:99] + "…"
    long = Who({"n1": "m1"}, {"m1": title})
    writing = DECK.write({"milestone": "m1"}, card(), board(), long, AT)
    assert writing.fields == {"labels": (f"+{shown}",)}
    assert writing.shown == {"milestone"}
    reading = DECK.read(card(labels=("l9",)), board(labels={**LABELS, "l9": shown}), long)
    assert reading.cells["milestone"] == {"m1"}
    twins = Who({"n1": "m1", "n2": "m2"}, {"m1": title, "m2": title + "y"})
    assert set(DECK.write({"milestone": "m1"}, card(), board(), twins, AT).unshowable) == {"milestone"}


def test_edits_of_labels_are_told_one_by_one() -> None:
    changes = CALDAV.changes(on_caldav(CATEGORIES=("a", "b")), on_caldav(CATEGORIES=("B", "C")))
    assert changes == {"labels:a": {None}, "labels:c": {"C"}}


def test_public_is_a_deliberate_element() -> None:
    assert said(on_caldav(), "visibility") == {"internal"}
    assert to_caldav({"visibility": "public"}, CATEGORIES=("a",)) == {"CATEGORIES": ("a", "öffentlich")}
    assert to_caldav({"visibility": "internal"}, CATEGORIES=("Public", "a", "öffentlich")) == {"CATEGORIES": ("a",)}
    assert to_deck({"visibility": "public"}) == {"labels": ("l3",)}


def by_labels() -> Translator:
    """CalDAV with its priority among the categories."""
    mapping = load(shipped("caldav.toml"))
    names = {"1": ("hoch", "dringend"), "2": ("mittel",), "3": ("niedrig",), "none": ()}
    priority = Choice(native="CATEGORIES", elements=names)
    fields = mapping.fields.model_copy(update={"priority": priority})
    return Translator(mapping.model_copy(update={"fields": fields}), BERLIN)


def test_a_choice_among_the_labels_replaces_the_one_that_is_there() -> None:
    platform, current = by_labels(), todo(CATEGORIES=("dringend", "x"))
    assert said(platform.read(current, PLAIN, NOBODY), "priority") == {1}
    assert platform.write({"priority": 3}, current, PLAIN, NOBODY, AT).fields == {"CATEGORIES": ("niedrig", "x")}
    assert platform.write({"priority": None}, current, PLAIN, NOBODY, AT).fields == {"CATEGORIES": ("x",)}
    assert platform.write({"priority": 1}, todo(), PLAIN, NOBODY, AT).fields == {"CATEGORIES": ("hoch",)}


def test_two_choices_at_once_are_a_problem() -> None:
    reading = by_labels().read(todo(CATEGORIES=("hoch", "niedrig")), PLAIN, NOBODY)
    assert said(reading, "priority") is None
    assert reading.problems == {"priority": "CATEGORIES says 1, 3 at once: keep one"}


def test_what_is_no_set_is_a_problem() -> None:
    assert set(on_caldav(CATEGORIES="abc").problems) == {"labels", "milestone", "visibility", "kind"}


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
    assert reading.problems == {"milestone": "belongs to 2 milestones at once: “Eröffnung”, “Baubeginn”"}


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


def test_a_name_that_another_label_has_today_means_that_one() -> None:
    """“IT” was renamed to “Presse”, and somebody made a new “IT”: the board shows what people see there."""
    meant = {"labels": {"l1": "IT", "l2": "IT"}}
    there = {"labels": {"l1": "Presse", "l2": "IT"}, "stack": {"s1": "Offen"}}
    voc = Vocabulary(there, meant, {"labels": {}})
    assert DECK.write({"labels:it": "IT"}, card(), voc, NOBODY, AT).fields == {"labels": ("l2",)}
    reading = DECK.read(card(labels=("l1",)), voc, NOBODY)
    assert "labels:presse" in reading.cells
