"""What the Deck connector reads, and for how many requests: one test for each trap of facts/nextcloud.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.base import Alive, Gone, Hidden, Moved, OutOfScope
from connectors.errors import NotACollection, NotFound, Transient, Unauthorized
from connectors.nextcloud_deck.shapes import Card as Shape
from tests.deck_tools import LIST, connect, find, known, ready, shown
from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board

FULL = 3


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as server:
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


# ---- how often, and what may be believed -----------------------------------------------------------------------


def test_a_quiet_pull_is_one_request(deck: Deck, board: Board) -> None:
    deck.add(board, "eins")
    deck.clock.advance(10)
    connector = ready(deck)
    before = connector.pull(None, {})
    deck.requests.clear()
    after = connector.pull(before.cursor, known(before))
    assert (deck.requests, deck.statuses[-1]) == ([LIST], 304)
    assert (after.records, after.complete, after.delta, after.options) == ((), False, True, None)
    assert after.cursor == before.cursor


def test_a_changed_board_is_three_requests(deck: Deck, board: Board) -> None:
    ready(deck).pull(None, {})
    assert deck.requests == [LIST, f"GET /boards/{board.id}/stacks", f"GET /boards/{board.id}/stacks/archived"]


@pytest.mark.parametrize("age", [0, 1, 2])
def test_a_second_change_in_the_second_of_the_last_read_is_seen(deck: Deck, board: Board, age: int) -> None:
    card = deck.add(board, "eins")
    deck.clock.advance(age)
    connector = ready(deck)
    before = connector.pull(None, {})
    deck.clock.now -= age  # the first change's second is not over yet as the server counts
    deck.edit(card, title="zwei")
    deck.clock.advance(60)
    after = connector.pull(before.cursor, known(before))
    assert [shown(record)["title"] for record in after.records] == ["zwei"]


def test_after_a_fresh_change_the_next_pull_asks_once_more_and_then_rests(deck: Deck, board: Board) -> None:
    deck.add(board, "eins")
    connector = ready(deck)
    first = connector.pull(None, {})
    deck.clock.advance(10)
    second = connector.pull(first.cursor, known(first))
    assert (second.records, second.complete) == ((), True)
    deck.requests.clear()
    third = connector.pull(second.cursor, known(first))
    assert (third.delta, deck.requests) == (True, [LIST])


def test_changes_on_other_boards_cost_no_reading_of_cards(deck: Deck, board: Board) -> None:
    other = deck.board("Haushalt")
    deck.add(board, "eins")
    deck.clock.advance(10)
    connector = ready(deck)
    changes = connector.pull(None, {})
    for title in ("a", "b"):
        deck.add(other, title)
        deck.requests.clear()
        changes = connector.pull(changes.cursor, {})
        assert (changes.delta, changes.records, deck.requests) == (True, (), [LIST])
        deck.clock.advance(1)  # the other board's stamp is never old enough for the ETag


def test_our_change_beside_a_busy_board_is_seen(deck: Deck, board: Board) -> None:
    other, card = deck.board("Haushalt"), deck.add(board, "eins")
    deck.clock.advance(10)
    connector = ready(deck)
    deck.add(other, "a")
    before = connector.pull(None, {})
    deck.edit(card, title="zwei")
    after = connector.pull(before.cursor, known(before))
    assert [shown(record)["title"] for record in after.records] == ["zwei"]


def test_without_a_date_nothing_is_believed(deck: Deck, board: Board) -> None:
    from connectors.nextcloud_deck.binding import Cursor
    from connectors.nextcloud_deck.shapes import Board as BoardShape
    from connectors.nextcloud_deck.wire import Boards

    ours = BoardShape(id=1, title="Digitale Strategie", last_modified=5)
    assert Cursor.after(Boards((ours,), '"tag"', None), ours) == Cursor("1")
    assert Cursor.after(Boards((ours,), '"tag"', 8.0), ours) == Cursor("1", '"tag"', 5)
    assert Cursor.after(Boards((ours,), '"tag"', 7.0), ours) == Cursor("1")


def test_a_reorder_stamps_all_cards_and_brings_no_record(deck: Deck, board: Board) -> None:
    cards = [deck.add(board, title) for title in ("eins", "zwei", "drei")]
    connector = ready(deck)
    before = connector.pull(None, {})
    deck.clock.advance(10)
    deck.world.reorder("anna", cards[2].id, cards[2].stack, 0)
    assert {card.last_modified for card in cards} == {deck.clock.seconds()}
    assert connector.pull(before.cursor, known(before)).records == ()


def test_comments_and_people_bring_no_record(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    before = connector.pull(None, {})
    deck.world.comment("anna", card.id, "Gesehen.")
    deck.world.assign_user("anna", card.id, "anna")
    assert connector.pull(before.cursor, known(before)).records == ()


# ---- what is in a record ---------------------------------------------------------------------------------------


def test_every_field_has_the_shape_of_the_glossary(deck: Deck, board: Board) -> None:
    due, label = "2026-12-01T11:00:00+00:00", deck.label(board, "Später")
    deck.add(board, "eins", description="a\r\nb\rc", duedate=due, startdate=due, labels=[label])
    changes = ready(deck).pull(None, {})
    assert shown(changes.records[0]) == {
        "title": "eins",
        "description": "a\nb\nc",
        "stack": str(deck.stack(board, "Offen")),
        "archived": False,
        "done": None,
        "duedate": due,
        "startdate": due,
        "labels": (str(label),),
    }
    record = changes.records[0]
    assert (record.collection, record.mark, record.ref.born) == (str(board.id), "", "")
    assert record.ref.instance == deck.url.removeprefix("http://")
    assert record.url == f"{deck.url}/index.php/apps/deck/board/{board.id}/card/{record.ref.native_id}"
    assert record.modified_at == record.created_at == deck.clock.seconds()


def test_options_are_titles_by_id_and_stacks_come_in_their_order(deck: Deck, board: Board) -> None:
    options = ready(deck).pull(None, {}).options
    assert options is not None
    assert list(options["stack"].values()) == ["Offen", "In Arbeit", "Erledigt"]
    assert sorted(options["labels"].values()) == ["Abgeschlossen", "Handlungsbedarf", "Später", "Zu prüfen"]


def test_renamed_labels_and_stacks_change_options_and_no_card(deck: Deck, board: Board) -> None:
    label, stack = deck.label(board, "Später"), deck.stack(board, "Offen")
    deck.add(board, "eins", labels=[label])
    connector = ready(deck)
    before = connector.pull(None, {})
    deck.clock.advance(10)
    deck.world.edit_label("anna", label, "Irgendwann", "F1DB50")
    deck.world.edit_stack("anna", stack, "Neu", 0)
    after = connector.pull(before.cursor, known(before))
    assert after.records == ()
    assert after.options is not None
    assert (after.options["labels"][str(label)], after.options["stack"][str(stack)]) == ("Irgendwann", "Neu")


def test_a_deleted_label_is_seen_although_no_card_is_stamped(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    card = deck.add(board, "eins", labels=[label])
    connector, stamp = ready(deck), card.last_modified
    before = connector.pull(None, {})
    deck.clock.advance(10)
    deck.world.delete_label("anna", label)
    after = connector.pull(before.cursor, known(before))
    assert card.last_modified == stamp
    assert [shown(record)["labels"] for record in after.records] == [()]


def test_a_label_that_is_there_twice_is_read_once(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    deck.add(board, "eins", labels=[label, label])
    assert shown(ready(deck).pull(None, {}).records[0])["labels"] == (str(label),)


def test_archived_cards_are_listed_with_their_labels_and_those_without(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    cards = [deck.add(board, "mit", labels=[label]), deck.add(board, "ohne")]
    for card in cards:
        deck.world.archive("anna", card.id, True)
    connector = ready(deck)
    found = {str(shown(record)["title"]): record for record in connector.pull(None, {}).records}
    assert {title: shown(record)["labels"] for title, record in found.items()} == {"mit": (str(label),), "ohne": ()}
    for record in found.values():
        assert shown(record)["archived"] is True
        assert record.locked == {"labels"}
        alone = connector.probe(record.ref)  # the other route shows owner, labels and people differently
        assert isinstance(alone, Alive)
        assert alone.record == record


def test_labels_that_an_answer_does_not_carry_are_left_out() -> None:
    card = Shape.model_validate({"id": 1, "title": "eins", "stackId": 2, "labels": None})
    assert "labels" not in card.fields()
    assert card.fields(no_labels_is_null=True)["labels"] == ()


def test_a_server_without_start_dates_is_not_said_to_have_empty_ones() -> None:
    card = Shape.model_validate({"id": 1, "title": "eins", "stackId": 2, "duedate": None, "done": None})
    assert "startdate" not in card.fields()
    assert "startdate" not in card.whole({"title": "zwei"}, "bridge")
    assert {"duedate", "done"} <= set(card.fields())


def test_a_card_archived_between_the_two_reads_is_there_once(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    deck.before("GET", "/stacks/archived$", lambda: deck.world.archive("anna", card.id, True))
    changes = ready(deck).pull(None, {})
    assert [shown(record)["archived"] for record in changes.records] == [True]
    assert changes.present == {str(card.id)}


def test_no_name_of_a_person_is_read(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    deck.world.assign_user("anna", card.id, "anna")
    deck.world.comment("anna", card.id, "Frau Beispiel kümmert sich.")
    connector = ready(deck)
    told = repr((connector.pull(None, {}), connector.memory())).lower()
    assert "anna" not in told
    assert "beispiel" not in told


@pytest.mark.parametrize("login", ["bridge", "bridge@example.org"])
def test_own_cards_are_told_by_the_account_and_not_by_the_sign_in(deck: Deck, board: Board, login: str) -> None:
    deck.accounts["bridge@example.org"] = ("bridge", "app-password")
    deck.add(board, "von Anna")
    archived = deck.add(board, "von uns", user="bridge")
    deck.world.archive("anna", archived.id, True)  # shows its owner as a string
    records = ready(deck, user=login).pull(None, {}).records
    assert {str(shown(record)["title"]): record.own for record in records} == {"von Anna": False, "von uns": True}


def test_a_card_that_cannot_be_read_is_a_problem_of_its_own(deck: Deck, board: Board) -> None:
    bad = {"id": 7, "title": "kaputt", "stackId": 20, "duedate": "gestern", "lastModified": 5}
    good = {"id": 8, "title": "heil", "stackId": 20}
    stack = {"id": 20, "title": "Offen", "cards": [bad, good]}
    deck.fail("GET", "/stacks$", status=200, body=[stack])
    changes = ready(deck).pull(None, {})
    assert {record.ref.native_id: bool(record.problem) for record in changes.records} == {"7": True, "8": False}
    assert changes.present == {"7", "8"}
    assert changes.records[0].fields == {}


@pytest.mark.parametrize("body", ["<html>Wartung</html>", [{"id": 20, "title": "Offen", "cards": [{"x": 1}]}], {}])
def test_a_listing_that_is_none_proves_nothing(deck: Deck, board: Board, body: object) -> None:
    deck.add(board, "eins")
    deck.fail("GET", "/stacks$", status=200, body=body)
    with pytest.raises(Transient):
        ready(deck).pull(None, {})


# ---- lost access is never an absence of records ---------------------------------------------------------------


def test_a_board_in_the_trash_is_no_collection(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    before = connector.pull(None, {})
    deck.clock.advance(10)
    board.deleted_at = deck.clock.seconds()
    deck.world.bump_board(board.id)
    with pytest.raises(NotACollection, match="Digitale Strategie"):
        connector.pull(before.cursor, {})
    board.deleted_at = 0
    assert connector.pull(before.cursor, {}).complete


def test_a_share_that_ended_is_no_collection(deck: Deck, board: Board) -> None:
    deck.add(board, "eins")
    deck.clock.advance(10)
    connector = ready(deck)
    before = connector.pull(None, {})
    del board.acl["bridge"]
    with pytest.raises(NotACollection):
        connector.pull(before.cursor, known(before))


def test_a_share_that_ends_in_the_middle_of_a_pull_is_said(deck: Deck, board: Board) -> None:
    deck.before("GET", "/stacks/archived$", board.acl.clear)
    with pytest.raises(Unauthorized):
        ready(deck).pull(None, {})


def test_rights_that_were_taken_are_remembered(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    board.acl["bridge"] = frozenset()
    connector.pull(None, {})
    assert connect(deck).identify(connector.memory()).writable is False


# ---- probes ----------------------------------------------------------------------------------------------------


def test_a_card_in_the_trash_is_gone(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    ref = find(connector, card.id).ref
    deck.world.delete_card("anna", card.id)
    deck.requests.clear()
    assert connector.probe(ref) == Gone()
    assert len(deck.requests) == 1
    deck.world.purge_card(card.id)
    assert connector.probe(ref) == Gone()


@pytest.mark.parametrize("native_id", ["", "4000/archive", "../../..", "x"])
def test_what_is_no_card_id_is_never_asked_for(deck: Deck, board: Board, native_id: str) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    ref = replace(find(connector, card.id).ref, native_id=native_id)
    with pytest.raises(NotFound):
        connector.update(ref, {"title": "zwei"}, "")
    assert not [one for one in deck.requests if "/cards" in one]


@pytest.mark.parametrize("how", ["unshared", "deleted"])
def test_a_card_of_a_board_that_we_may_not_read_is_hidden(deck: Deck, board: Board, how: str) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    ref = find(connector, card.id).ref
    if how == "deleted":
        board.deleted_at = deck.clock.seconds()
    else:
        board.acl.clear()
    assert connector.probe(ref) == Hidden()


def test_a_card_on_another_board_has_moved(deck: Deck, board: Board) -> None:
    other, card = deck.board("Haushalt"), deck.add(board, "eins")
    connector = ready(deck)
    ref = find(connector, card.id).ref
    deck.edit(card, stackId=deck.stack(other, "Offen"))
    answer = connector.probe(ref)
    assert isinstance(answer, Moved)
    assert answer.collection == str(other.id)
    assert answer.record is not None
    assert answer.record.collection == str(other.id)
    assert connector.pull(None, {}).present == frozenset()


def test_a_card_on_a_list_made_since_is_alive(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    ref = find(connector, card.id).ref
    deck.edit(card, stackId=deck.world.add_stack("anna", board.id, "Neu", 3).id)
    assert isinstance(connector.probe(ref), Alive)


def test_cards_in_a_deleted_list_are_ghosts_and_out_of_scope(deck: Deck, board: Board) -> None:
    cards = [deck.add(board, title) for title in ("eins", "zwei", "drei")]
    connector = ready(deck)
    refs = [find(connector, card.id).ref for card in cards]
    deck.world.delete_stack("anna", deck.stack(board, "Offen"))
    assert connector.pull(None, {}).present == frozenset()
    deck.requests.clear()
    assert [connector.probe(ref) for ref in refs] == [OutOfScope()] * 3
    assert len(deck.requests) == 4  # the boards are asked for once, not for every ghost
