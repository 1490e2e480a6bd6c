"""A label that stands for a milestone is renamed with it: the connector's word for it, on the fake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import RenamesOptions
from connectors.errors import NotFound, Rejected, Unauthorized
from tests.deck_tools import LIST, asked, known, ready, shown
from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board


@pytest.fixture(params=[(1, 18), (1, 16)], ids=["1.18", "1.16"])
def deck(request: pytest.FixtureRequest) -> Iterator[Deck]:
    with Deck() as server:
        server.world.release = request.param
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


def test_a_label_is_renamed_with_its_color_and_no_card_is_written(deck: Deck, board: Board) -> None:
    label = deck.world.add_label("anna", board.id, "Portal geht online", "FF7A66").id
    card = deck.add(board, "eins", labels=[label])
    connector = ready(deck)
    before, stamp = connector.pull(None, {}), card.last_modified
    deck.clock.advance(10)
    asked(deck)
    assert isinstance(connector, RenamesOptions)
    title = "Portal ist online"
    assert connector.rename_option("labels", str(label), title) == {"labels": {str(label): title}}
    assert asked(deck) == [LIST, f"PUT /labels/{label}"]
    assert (deck.world.labels[label].title, deck.world.labels[label].color) == (title, "FF7A66")
    assert card.last_modified == stamp
    after = connector.pull(before.cursor, known(before))
    assert after.records == ()
    assert after.options is not None
    assert after.options["labels"][str(label)] == title
    made = connector.create({"title": "zwei", "labels": (f"+{title}",)}, "mark")
    assert shown(made)["labels"] == (str(label),)


def test_the_same_name_again_is_no_request(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    connector = ready(deck)
    assert connector.rename_option("labels", str(label), "Später") == {"labels": {str(label): "Später"}}
    assert asked(deck) == [LIST]


def test_a_name_that_is_taken_is_left_to_its_owner(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    with pytest.raises(Rejected, match="another label"):
        connector.rename_option("labels", str(deck.label(board, "Später")), "handlungsbedarf")
    assert deck.world.labels[deck.label(board, "Später")].title == "Später"


def test_another_spelling_is_no_other_label(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    ready(deck).rename_option("labels", str(label), "SPÄTER")
    assert deck.world.labels[label].title == "SPÄTER"


def test_a_name_that_is_too_long_is_refused(deck: Deck, board: Board) -> None:
    with pytest.raises(Rejected, match="longer than 100"):
        ready(deck).rename_option("labels", str(deck.label(board, "Später")), "x" * 101)


def test_rights_and_what_is_gone_are_told_apart(deck: Deck, board: Board) -> None:
    label, connector = str(deck.label(board, "Später")), ready(deck)
    with pytest.raises(NotFound):
        connector.rename_option("labels", "99999", "Bald")
    with pytest.raises(Rejected, match="cannot be renamed"):
        connector.rename_option("stack", str(deck.stack(board, "Offen")), "Bald")
    board.acl["bridge"] = frozenset({"edit"})
    with pytest.raises(Rejected, match="may not rename"):
        connector.rename_option("labels", label, "Bald")
    board.acl["bridge"] = frozenset()
    connector.pull(None, {})
    with pytest.raises(Unauthorized):
        connector.rename_option("labels", label, "Bald")
