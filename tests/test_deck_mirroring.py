"""A Deck board and a calendar on a real Radicale, mirrored by the command as its users run it.

What people do on the board goes straight into the fake (`Deck.edit`, `Deck.world`), what they do in the calendar as
their own programs would; see `tests.mirror`. Most of these were first seen by hand between Deck 1.16.7, the CalDAV of
the same Nextcloud 32.0.1 and a Radicale.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board, Card
from tests.mirror import Desk, Mirror, written
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale


@pytest.fixture(params=[(1, 18), (1, 16)], ids=["1.18", "1.16"])
def deck(request: pytest.FixtureRequest) -> Iterator[Deck]:
    with Deck() as server:
        server.world.release = request.param
        server.clock.now = time.time() - 600
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


@pytest.fixture
def desk(radicale: Radicale) -> Desk:
    return Desk(radicale)


@pytest.fixture
def mirror(tmp_path: Path, deck: Deck, board: Board, desk: Desk) -> Mirror:
    made = Mirror(tmp_path, kalender=desk)
    login, (_, password) = "bridge", deck.accounts["bridge"]
    made.sets(
        bridge_connectors="rathaus,kalender",
        rathaus_type="nextcloud-deck",
        rathaus_url=deck.url,
        rathaus_user=login,
        rathaus_password=password,
        rathaus_collection=board.title,
    )
    return made


def cards(deck: Deck, title: str) -> list[Card]:
    """The cards of this title that are not in the trash."""
    return [card for card in deck.world.cards.values() if card.title == title and not card.deleted_at]


def labels(deck: Deck, title: str) -> set[str]:
    """The labels on the one card of this title."""
    [card] = cards(deck, title)
    return {deck.world.labels[one].title for one in card.labels}


def rests(mirror: Mirror, deck: Deck) -> None:
    """Two more passes write nothing, and the second one asks each platform once."""
    for _ in range(2):
        deck.clock.advance(10)
        deck.requests.clear()
        told = mirror.sync()
        assert written(told) == 0, told
    assert deck.requests == ["GET /boards?details=true"]


def test_what_is_held_is_shown_without_what_the_pass_wrote_meanwhile(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    label = deck.world.add_label("anna", board.id, "IT", "317CCC").id
    for title in ("eins", "zwei", "drei", "vier", "fünf"):
        desk.adds(title, "DESCRIPTION:Zeile", "CATEGORIES:IT")
    mirror.begins()
    deck.clock.advance(10)
    deck.world.delete_label("anna", label)
    for title in ("eins", "zwei", "drei", "vier"):
        desk.edits(title, clear="DESCRIPTION")
    told = mirror.sync(ends=3)
    [held] = told["waiting"]
    assert held["connector"] == "rathaus"
    assert {change for one in held["operations"] for change in one["changes"]} == {"description"}
    assert {desk.task(title).categories == set() for title in ("eins", "fünf")} == {True}
    mirror.sync("--accept", told["accept"])  # the list that was shown is the list that is held
    assert [one.title for one in deck.world.labels.values() if one.title == "IT"] == []
    rests(mirror, deck)


def test_a_calendar_and_a_board_hold_the_same_and_come_to_rest(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    desk.adds("Portal geht online", "CATEGORIES:Meilenstein", "DUE;VALUE=DATE:20261231")
    desk.adds("Anmeldung", "CATEGORIES:IT,Portal geht online", "DTSTART;VALUE=DATE:20261201", "PRIORITY:1")
    deck.add(board, "Kurz vor Mitternacht", duedate="2026-12-01T22:59:00+00:00")
    deck.add(board, "Kurz nach Mitternacht", duedate="2026-12-01T23:01:00+00:00")
    mirror.begins()
    assert labels(deck, "Portal geht online") == {"Meilenstein"}
    assert labels(deck, "Anmeldung") == {"IT", "Portal geht online"}
    assert desk.task("Kurz vor Mitternacht")["DUE"] == "20261201"
    assert desk.task("Kurz nach Mitternacht")["DUE"] == "20261202"
    [card] = cards(deck, "Anmeldung")
    assert (card.startdate is not None) == (deck.world.release >= (1, 18))
    assert (desk.task("Anmeldung")["DTSTART"], desk.task("Anmeldung")["PRIORITY"]) == ("20261201", "1")
    rests(mirror, deck)


def test_another_time_on_the_same_day_is_no_other_day_and_people_stay_on_the_card(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    card = deck.add(board, "eins", duedate="2026-12-01T23:01:00+00:00")
    deck.world.assign_user("anna", card.id, "bridge")
    deck.world.comment("anna", card.id, "Bitte bis Freitag")
    mirror.begins()
    deck.clock.advance(10)
    deck.edit(card, duedate="2026-12-02T20:30:00+00:00")
    desk.edits("eins", "STATUS:COMPLETED", "PERCENT-COMPLETE:100", "COMPLETED:20261123T080000Z")
    mirror.sync()
    assert desk.task("eins")["DUE"] == "20261202"
    assert card.duedate is not None
    assert (card.duedate.day, card.duedate.hour, card.duedate.minute) == (2, 20, 30)
    assert (card.stack, card.done is not None) == (deck.stack(board, "Erledigt"), True)
    assert (card.assigned, card.comments) == (["bridge"], ["Bitte bis Freitag"])
    rests(mirror, deck)


def test_renamed_labels_and_lists_are_no_mass_edit(mirror: Mirror, deck: Deck, board: Board, desk: Desk) -> None:
    for title in ("eins", "zwei"):
        desk.adds(title, "CATEGORIES:Presse")
    mirror.begins()
    deck.clock.advance(10)
    before = desk.picture()
    label = deck.label(board, "Presse")
    deck.world.edit_label("anna", label, "Pressestelle", "317CCC")
    deck.world.edit_stack("anna", deck.stack(board, "Offen"), "Eingang der Woche", 0)
    told = mirror.sync()
    assert written(told) == 0
    assert desk.picture() == before
    assert labels(deck, "eins") == {"Pressestelle"}
    rests(mirror, deck)


def test_a_locked_database_costs_neither_a_card_nor_makes_two(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    titles = ("eins", "zwei", "drei", "vier")
    for title in titles:
        desk.adds(title, "CATEGORIES:IT")
    deck.fail("POST", "/cards$", after=True)
    deck.fail("POST", "/cards$")
    mirror.sets(rathaus_writes="4")
    mirror.begins()
    mirror.sync()
    assert [len(cards(deck, title)) for title in titles] == [1, 1, 1, 1]
    assert [labels(deck, title) for title in titles] == [{"IT"}] * 4
    rests(mirror, deck)


@pytest.mark.parametrize("which", ["older", "newer"])
def test_a_card_that_came_back_beside_its_successor_either_may_be_deleted(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk, which: str
) -> None:
    for title in ("eins", "zwei", "drei", "vier"):
        desk.adds(title)
    mirror.begins()
    deck.clock.advance(10)
    [older] = cards(deck, "eins")
    deck.world.delete_card("anna", older.id)
    desk.edits("eins", "PRIORITY:1")  # which nobody in Deck had seen: the task outlives, with a card of its own
    mirror.sync()
    [newer] = cards(deck, "eins")
    deck.clock.advance(10)
    deck.edit(older)  # what the trash's "undo" does
    mirror.sync(ends=1)
    assert "delete one of the two" in mirror.run("status").said
    deck.clock.advance(10)
    deck.world.delete_card("anna", {"older": older, "newer": newer}[which].id)
    mirror.sync()
    assert len(cards(deck, "eins")) == 1
    assert not desk.task("eins").gone
    assert "delete one of the two" not in mirror.run("status").said
    deck.clock.advance(10)
    deck.edit(cards(deck, "eins")[0], description="Weiter geht es")
    mirror.sync()
    assert desk.task("eins")["DESCRIPTION"] == "Weiter geht es"
    rests(mirror, deck)


def test_a_name_that_was_given_to_another_label_means_that_one(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    desk.adds("eins", "CATEGORIES:IT")
    mirror.begins()
    deck.clock.advance(10)
    deck.world.edit_label("anna", deck.label(board, "IT"), "Presse", "317CCC")
    deck.world.add_label("anna", board.id, "IT", "00FF00")
    mirror.sync()
    desk.adds("zwei", "CATEGORIES:IT")
    deck.clock.advance(10)
    mirror.sync()
    assert labels(deck, "zwei") == {"IT"}
    rests(mirror, deck)


def test_a_card_on_another_board_rests_and_brings_back_what_was_done_there(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    desk.adds("eins", "CATEGORIES:IT", "DUE;VALUE=DATE:20261201")
    other = deck.board("Anderes Amt")
    mirror.begins()
    [card] = cards(deck, "eins")
    deck.clock.advance(10)
    deck.edit(card, stackId=deck.stack(other, "Offen"))
    desk.edits("eins", "DUE;VALUE=DATE:20261205")  # the board that was left is not stamped: a write finds it out
    mirror.sync()
    assert "does not belong to this collection" in mirror.run("status").said
    deck.clock.advance(10)
    deck.edit(card, title="eins, andernorts")
    mirror.sync()
    assert not desk.task("eins").gone
    deck.clock.advance(10)
    deck.edit(card, stackId=deck.stack(board, "In Arbeit"))
    mirror.sync()
    task = desk.task("eins, andernorts")
    assert (task["DUE"], task["STATUS"], task.categories) == ("20261205", "IN-PROCESS", {"IT"})
    assert card.duedate is not None
    assert (card.duedate.day, labels(deck, card.title)) == (5, {"IT"})
    rests(mirror, deck)


def test_an_archived_board_stops_its_connector_and_no_other(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    titles = ("eins", "zwei", "drei")
    for title in titles:
        desk.adds(title)
    deck.add(board, "vom Rathaus")
    mirror.begins()
    deck.clock.advance(10)
    board.archived = True
    deck.world.bump_board(board.id)
    for title in titles:
        desk.edits(title, "DESCRIPTION:neu")
    deck.requests.clear()
    told = mirror.sync(ends=1)
    assert "may only read the board" in told["connectors"]["rathaus"]["error"]
    assert told["connectors"]["rathaus"]["parked"] == 0
    assert [one for one in deck.requests if one.startswith(("PUT", "POST"))] == []
    deck.clock.advance(10)
    board.archived = False
    deck.world.bump_board(board.id)
    mirror.sync()
    assert [cards(deck, title)[0].description for title in titles] == ["neu"] * 3
    rests(mirror, deck)


def milestone(deck: Deck) -> Card:
    [found] = [one for one in deck.world.cards.values() if one.title.startswith("Portal")]
    return found


def test_a_label_is_renamed_with_the_milestone_that_it_stands_for(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    desk.adds("Portal geht online", "CATEGORIES:Meilenstein")
    desk.adds("Anmeldung", "CATEGORIES:Portal geht online")
    mirror.begins()
    for title in ("Portal ist online", "Portal läuft"):
        deck.clock.advance(10)
        deck.edit(milestone(deck), title=title)
        mirror.sync()
        assert labels(deck, "Anmeldung") == {title}
        rests(mirror, deck)
    deck.clock.advance(10)
    desk.edits("Portal läuft", "SUMMARY:Portal ist da")
    foretold = mirror.run("plan").said
    assert "rathaus: the label “Portal läuft” is called “Portal ist da” from now on" in foretold
    assert labels(deck, "Anmeldung") == {"Portal läuft"}
    mirror.sync()
    assert labels(deck, "Anmeldung") == {"Portal ist da"}
    rests(mirror, deck)
    history = mirror.json("show", "Portal ist da")["history"]
    told = [(one["before"], one["after"], one["act"]) for one in history if one["field"].startswith("labels:")]
    assert told[-1] == ("Portal läuft", "Portal ist da", "write")


def test_a_label_to_which_people_gave_a_name_of_its_own_keeps_it(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    desk.adds("Portal geht online", "CATEGORIES:Meilenstein")
    desk.adds("Anmeldung", "CATEGORIES:Portal geht online")
    mirror.begins()
    deck.clock.advance(10)
    deck.world.edit_label("anna", deck.label(board, "Portal geht online"), "Portal", "FF0000")
    mirror.sync()
    deck.clock.advance(10)
    desk.edits("Portal geht online", "SUMMARY:Portal 2.0")
    mirror.sync()
    assert labels(deck, "Anmeldung") == {"Portal"}
    desk.adds("Neu", "CATEGORIES:Portal 2.0")
    mirror.sync()
    assert labels(deck, "Neu") == {"Portal"}
    rests(mirror, deck)
    deck.clock.advance(10)
    deck.world.edit_label("anna", deck.label(board, "Portal"), "Portal 2.0", "FF0000")  # called like it once more
    mirror.sync()
    deck.clock.advance(10)
    desk.edits("Portal 2.0", "SUMMARY:Portal 3.0")
    mirror.sync()
    assert labels(deck, "Anmeldung") == {"Portal 3.0"}
    rests(mirror, deck)


@pytest.mark.parametrize("after", [False, True])
def test_a_rename_whose_answer_was_lost_is_made_good(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk, after: bool
) -> None:
    desk.adds("Portal geht online", "CATEGORIES:Meilenstein")
    desk.adds("Anmeldung", "CATEGORIES:Portal geht online")
    mirror.begins()
    for title in ("Portal ist online", "Portal läuft"):
        deck.clock.advance(10)
        deck.edit(milestone(deck), title=title)
        deck.fail("PUT", "/labels/", status=502, after=after)
        mirror.sync()
        deck.clock.advance(10)
        deck.edit(milestone(deck), description="Ein Wort dazu")
        mirror.sync()
        deck.edit(milestone(deck), description="Noch ein Wort dazu")
        mirror.sync()
        assert labels(deck, "Anmeldung") == {title}


def test_without_the_right_to_rename_a_label_keeps_its_name(
    mirror: Mirror, deck: Deck, board: Board, desk: Desk
) -> None:
    desk.adds("Portal geht online", "CATEGORIES:Meilenstein")
    desk.adds("Anmeldung", "CATEGORIES:Portal geht online")
    mirror.begins()
    board.acl["bridge"] = frozenset({"edit"})
    deck.clock.advance(10)
    deck.edit(milestone(deck), title="Portal läuft")
    mirror.sync()
    assert labels(deck, "Anmeldung") == {"Portal geht online"}
    assert desk.task("Anmeldung").categories == {"Portal geht online"}
    rests(mirror, deck)
