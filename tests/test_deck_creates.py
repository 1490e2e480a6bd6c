"""What the Deck connector makes: cards and labels, and what is known when making one goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import Native
from connectors.errors import Lost, Rejected, Transient, Unauthorized
from tests.deck_tools import LIST, asked, connect, find, ready, shown
from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board

DUE = "2026-12-01T11:00:00+00:00"


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as server:
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


def test_a_card_is_made_with_its_labels_by_one_request_and_read_back(deck: Deck, board: Board) -> None:
    labels = tuple(sorted(str(deck.label(board, title)) for title in ("Später", "Zu prüfen")))
    fields: dict[str, Native] = {
        "title": "eins",
        "description": "Zwei\nZeilen",
        "stack": str(deck.stack(board, "In Arbeit")),
        "duedate": DUE,
        "startdate": DUE,
        "labels": labels,
    }
    made = ready(deck).create(fields, "mark")
    assert shown(made) == {**fields, "archived": False, "done": None}
    assert asked(deck) == ["POST /cards", f"GET /cards/{made.ref.native_id}"]
    assert made.own is True


def test_a_card_without_a_list_goes_into_the_first_one(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    made = connector.create({"title": "eins"}, "mark")
    assert shown(made)["stack"] == str(deck.stack(board, "Offen"))
    assert connector.abilities.defaults["stack"] == shown(made)["stack"]


def test_a_board_without_lists_takes_no_card(deck: Deck) -> None:
    deck.board("Leer", stacks=())
    with pytest.raises(Rejected, match="no list") as failure:
        ready(deck, "Leer").create({"title": "eins"}, "mark")
    assert failure.value.clean


def test_empty_dates_are_not_sent_for_they_would_mean_now(deck: Deck, board: Board) -> None:
    made = ready(deck).create({"title": "eins", "duedate": None, "startdate": ""}, "mark")
    assert (shown(made)["duedate"], shown(made)["startdate"]) == (None, None)


def test_moments_are_sent_in_utc_because_offsets_are_dropped(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    made = connector.create({"title": "eins", "duedate": "2026-12-01T12:00:00+01:00"}, "mark")
    assert shown(made)["duedate"] == DUE
    again = connector.update(made.ref, {"startdate": "2026-12-01T12:00:00+01:00"}, made.version)
    assert (shown(again)["startdate"], shown(again)["duedate"]) == (DUE, DUE)


def test_a_new_label_is_made_once(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    made = connector.create({"title": "eins", "labels": ("+Meilenstein",)}, "mark")
    label = str(deck.label(board, "Meilenstein"))
    assert shown(made)["labels"] == (label,)
    assert made.options == {"labels": {label: "Meilenstein"}}
    assert asked(deck)[:2] == [LIST, "POST /labels"]
    again = connector.create({"title": "zwei", "labels": ("+Meilenstein",)}, "mark")
    assert shown(again)["labels"] == (label,)
    assert asked(deck) == ["POST /cards", f"GET /cards/{again.ref.native_id}"]


@pytest.mark.parametrize("title", ["+später", "+Spa\u0308ter", "+ SPÄTER "])
def test_a_label_that_people_call_the_same_is_taken(deck: Deck, board: Board, title: str) -> None:
    made = ready(deck).create({"title": "eins", "labels": (title,)}, "mark")
    assert shown(made)["labels"] == (str(deck.label(board, "Später")),)
    assert not [one for one in deck.requests if one.endswith("/labels")]


def test_the_label_of_exactly_this_title_wins_over_a_similar_one(deck: Deck, board: Board) -> None:
    exact = deck.world.add_label("anna", board.id, "später", "F1DB50").id
    assert shown(ready(deck).create({"title": "eins", "labels": ("+später",)}, "mark"))["labels"] == (str(exact),)


def test_a_label_that_somebody_makes_at_the_same_moment_is_taken(deck: Deck, board: Board) -> None:
    deck.before("POST", "/labels$", lambda: deck.world.add_label("anna", board.id, "Neu", "F1DB50"))
    made = ready(deck).create({"title": "eins", "labels": ("+Neu",)}, "mark")
    assert shown(made)["labels"] == (str(deck.label(board, "Neu")),)


def test_without_the_right_to_manage_a_new_label_is_refused_and_nothing_made(deck: Deck, board: Board) -> None:
    board.acl["bridge"] = frozenset({"edit"})
    with pytest.raises(Rejected, match="Meilenstein") as failure:
        ready(deck).create({"title": "eins", "labels": ("+Meilenstein",)}, "mark")
    assert failure.value.clean
    assert asked(deck) == [LIST]


@pytest.mark.parametrize("name", ["stack", "labels"])
def test_an_option_that_is_not_on_the_board_is_refused_before_anything_is_made(
    deck: Deck, board: Board, name: str
) -> None:
    foreign = deck.board("Haushalt")
    values: dict[str, Native] = {
        "stack": str(deck.stack(foreign, "Offen")),
        "labels": (str(deck.label(foreign, "Später")),),
    }
    with pytest.raises(Rejected) as failure:
        ready(deck).create({"title": "eins", name: values[name]}, "mark")
    assert failure.value.clean
    assert asked(deck) == [LIST]


def test_no_card_is_put_into_a_list_that_was_deleted(deck: Deck, board: Board) -> None:
    connector, stack = connect(deck), deck.stack(board, "Offen")
    connector.identify(ready(deck).memory())
    deck.world.delete_stack("anna", stack)
    with pytest.raises(Rejected):
        connector.create({"title": "eins", "stack": str(stack)}, "mark")
    assert deck.world.cards == {}


@pytest.mark.parametrize("title", ["x" * 256, " ", ""])
def test_a_title_that_is_refused_leaves_nothing_behind(deck: Deck, board: Board, title: str) -> None:
    with pytest.raises(Rejected, match="title") as failure:
        ready(deck).create({"title": title}, "mark")
    assert failure.value.clean
    assert deck.world.cards == {}


def test_before_1_18_a_card_with_labels_is_made_by_the_route_that_keeps_them(deck: Deck, board: Board) -> None:
    deck.world.release = (1, 16)
    connector, label = ready(deck), str(deck.label(board, "Später"))
    made = connector.create({"title": "eins", "labels": (label,), "duedate": DUE}, "mark")
    assert shown(made) == {
        "title": "eins",
        "description": "",
        "stack": str(deck.stack(board, "Offen")),
        "archived": False,
        "done": None,
        "duedate": DUE,
        "labels": (label,),
    }
    assert asked(deck) == ["POST /index.php/apps/deck/cards", f"GET /cards/{made.ref.native_id}"]


def test_a_release_without_start_dates_promises_none_not_even_to_another_process(deck: Deck, board: Board) -> None:
    deck.world.release = (1, 16)
    old = ready(deck)
    fresh = connect(deck)
    fresh.identify(old.memory())
    for connector in (old, fresh):
        assert "startdate" not in connector.abilities.defaults
        assert "startdate" not in (connector.abilities.create_fields or ())
    deck.world.release = (1, 18)  # an upgrade is noticed with the next listing
    fresh.pull(None, {})
    assert "startdate" in fresh.abilities.defaults
    assert "startdate" in (fresh.abilities.create_fields or ())


@pytest.mark.parametrize("release", [(1, 16), (1, 18)])
def test_a_label_deleted_at_the_worst_moment_is_a_refusal_that_made_a_card(
    deck: Deck, board: Board, release: tuple[int, int]
) -> None:
    deck.world.release = release
    label = deck.label(board, "Später")
    deck.before("POST", "/cards$", lambda: deck.world.delete_label("anna", label))
    with pytest.raises(Rejected, match="label of it may have been deleted") as failure:
        ready(deck).create({"title": "eins", "labels": (str(label),)}, "mark")
    assert not failure.value.clean
    assert len(deck.world.cards) == 1


def test_a_create_that_is_forbidden_for_good_is_lost_rights_and_no_bad_card(deck: Deck, board: Board) -> None:
    connector, label = ready(deck), str(deck.label(board, "Später"))
    board.acl["bridge"] = frozenset()
    with pytest.raises(Unauthorized):
        connector.create({"title": "eins", "labels": (label,)}, "mark")
    assert deck.world.cards == {}


@pytest.mark.parametrize("after", [False, True])
def test_a_locked_database_is_passing_and_says_nothing_of_the_card(deck: Deck, board: Board, after: bool) -> None:
    deck.fail("POST", "/cards$", after=after)
    with pytest.raises(Transient, match="database is locked") as failure:
        ready(deck).create({"title": "eins"}, "mark")
    assert failure.value.answered
    assert len(deck.world.cards) == after
    assert asked(deck) == ["POST /cards"]


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_to_a_create_is_lost_and_never_sent_again(deck: Deck, board: Board, after: bool) -> None:
    deck.fail("POST", "/cards$", after=after, lost=True)
    with pytest.raises(Lost):
        ready(deck).create({"title": "eins"}, "mark")
    assert len(deck.world.cards) == after
    assert asked(deck) == ["POST /cards"]


def test_a_card_that_cannot_be_read_back_is_made_all_the_same(deck: Deck, board: Board) -> None:
    label = str(deck.label(board, "Später"))
    connector = ready(deck)
    deck.fail("GET", "/cards/")
    made = connector.create({"title": "eins", "labels": (label,), "duedate": DUE}, "mark")
    assert made.ref.native_id in [str(one) for one in deck.world.cards]
    assert "labels" not in shown(made)  # the answer to the POST says [], which is a lie
    assert shown(made)["duedate"] == DUE
    assert find(connector, made.ref.native_id).version != made.version


def test_a_new_label_is_alike_to_the_id_that_it_got(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    made = connector.create({"title": "eins", "labels": ("+Neu",)}, "mark")
    assert connector.normalises("labels", ("+Neu",), shown(made)["labels"])
    assert not connector.normalises("labels", ("+Alt",), shown(made)["labels"])
    assert not connector.normalises("labels", ("+Neu",), ())
