"""The Deck fake does what was seen on Nextcloud 32.0.1 with Deck 1.16.7, where that is not what 1.18 does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board, type_error
from tests.test_deck_fake import DUE, WHOLE, ask, at, said


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as server:
        server.world.release = (1, 16)
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


def test_deck_1_16_shows_neither_start_dates_nor_colours_nor_a_column_for_what_is_done(
    deck: Deck, board: Board
) -> None:
    card = deck.add(board, "eins")
    ask(deck, "PUT", at(card), {**WHOLE, "startdate": DUE})
    [stack] = [one for one in ask(deck, "GET", "/boards/1/stacks").json() if "cards" in one]
    [shown] = stack["cards"]
    for shape in (shown, ask(deck, "GET", at(card)).json()):
        assert (shape["title"], shape["duedate"]) == ("zwei", None)
        assert not shape.keys() & {"startdate", "color", "dependentCards"}
    assert "isDoneColumn" not in stack
    assert ask(deck, "GET", "/boards/1").json()["labels"][0]["color"]


def test_deck_1_16_makes_a_card_with_labels_and_loses_its_id(deck: Deck, board: Board) -> None:
    stack, label = deck.stack(board, "Offen"), deck.label(board, "Später")
    answer = ask(deck, "POST", f"/boards/1/stacks/{stack}/cards", {"title": "eins", "labels": [label]})
    assert said(answer) == (400, "cardId must be provided and must be numeric")
    assert [(card.title, card.labels) for card in deck.world.cards.values()] == [("eins", [])]


def test_the_web_clients_route_makes_a_card_with_its_labels(deck: Deck, board: Board) -> None:
    stack, label = deck.stack(board, "Offen"), deck.label(board, "Später")
    body = {"title": "eins", "stackId": stack, "labels": [label]}
    with requests.Session() as session:
        url = f"{deck.url}/index.php/apps/deck/cards"
        assert session.post(url, json=body, auth=deck.accounts["anna"]).status_code == 412
        answer = session.post(url, json=body, auth=deck.accounts["anna"], headers={"OCS-APIRequest": "true"})
    assert (answer.status_code, answer.json()["labels"]) == (200, [])
    assert [card.labels for card in deck.world.cards.values()] == [[label]]


@pytest.mark.parametrize("extra", [{"users": [{"id": "bridge", "type": 0}]}, {"users": [{"id": "otto", "type": 0}]}])
def test_a_card_with_people_is_made_and_its_id_is_lost_too(deck: Deck, board: Board, extra: dict[str, Any]) -> None:
    answer = ask(deck, "POST", f"/boards/1/stacks/{deck.stack(board, 'Offen')}/cards", {"title": "eins", **extra})
    assert said(answer) == (400, "cardId must be provided and must be numeric")
    assert [(card.title, card.assigned) for card in deck.world.cards.values()] == [("eins", [])]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"title": None}, (400, "title must be provided and must be not empty")),
        ({"type": None}, (400, "type must be provided and must be not empty")),
        ({"owner": None}, (400, "owner must be provided and must be not empty")),
        ({"order": "x"}, (400, "order must be provided and must be numeric")),
        ({"stackId": 0}, (403, "Permission denied")),
        ({"duedate": "gestern"}, (500, type_error().message)),
    ],
)
def test_a_put_says_what_it_misses(deck: Deck, board: Board, change: dict[str, Any], refusal: tuple[int, str]) -> None:
    card = deck.add(board, "eins")
    assert said(ask(deck, "PUT", at(card), WHOLE | change)) == refusal
    assert card.title == "eins"


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        ({"owner": {"uid": "anna"}}, ("zwei", "")),
        ({"title": 5}, ("5", "")),
        ({"description": 5}, ("zwei", "5")),
        ({"description": None}, ("zwei", "")),
    ],
)
def test_a_put_takes_what_is_text_after_all(
    deck: Deck, board: Board, change: dict[str, Any], stored: tuple[str, str]
) -> None:
    card = deck.add(board, "eins", description="Text")
    assert ask(deck, "PUT", at(card), WHOLE | change).status_code == 200
    assert (card.title, card.description, card.owner) == (*stored, "anna")


@pytest.mark.parametrize(("body", "title"), [({"title": 5}, "5"), ({"title": "a", "description": None}, "a")])
def test_a_post_takes_what_is_text_after_all(deck: Deck, board: Board, body: dict[str, Any], title: str) -> None:
    assert ask(deck, "POST", f"/boards/1/stacks/{deck.stack(board, 'Offen')}/cards", body).status_code == 200
    assert [(card.title, card.description) for card in deck.world.cards.values()] == [(title, "")]


def test_bad_json_is_no_title(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    with requests.Session() as session:
        url = f"{deck.url}/index.php/apps/deck/api/v1.0{at(card)}"
        answer = session.put(url, data="{bad", auth=deck.accounts["anna"])
    assert said(answer) == (400, "title must be provided and must be not empty")


def test_small_writes_have_bare_answers(deck: Deck, board: Board) -> None:
    card, label = deck.add(board, "eins"), deck.label(board, "Später")
    assert ask(deck, "PUT", f"{at(card)}/assignLabel", {"labelId": label}).json() is None
    assert said(ask(deck, "PUT", f"{at(card)}/assignLabel", {})) == (
        400,
        "labelId must be provided and must be numeric",
    )
    archived = ask(deck, "PUT", f"{at(card)}/archive", {}).json()
    assert (archived["assignedUsers"], archived["attachmentCount"], "overdue" in archived) == (None, None, False)
    [stack] = [one for one in ask(deck, "GET", "/boards/1/stacks/archived").json() if "cards" in one]
    [shown] = stack["cards"]
    assert [(one["title"], one["boardId"], one["cardId"]) for one in shown["labels"]] == [("Später", None, card.id)]
    assert ask(deck, "GET", at(card)).json()["attachments"] == []


def test_a_bad_moment_in_a_header_is_an_error_of_the_server(deck: Deck, board: Board) -> None:
    answer = ask(deck, "GET", "/boards", If_Modified_Since="Mon, 23 Nov 2026 10:00:00 +0000")
    assert said(answer) == (500, type_error().message)
