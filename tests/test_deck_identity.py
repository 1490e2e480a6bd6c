"""How the Deck connector finds its board, and what it says when it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import Access, Connector, HasTraffic
from connectors.errors import NotACollection, RateLimited, Unauthorized
from connectors.http import Http
from connectors.nextcloud_deck import TYPE
from connectors.nextcloud_deck.wire import Wire, root_of
from tests.deck_tools import LIST, connect, ready
from tests.fakes.deck import Deck


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as server:
        yield server


@pytest.mark.parametrize("wanted", ["Digitale Strategie", "digitale  strategie ", "1"])
def test_a_board_is_found_by_title_or_id(deck: Deck, wanted: str) -> None:
    board = deck.board()
    identity = connect(deck, wanted).identify()
    assert (identity.type, identity.collection, identity.title) == ("nextcloud-deck", str(board.id), board.title)
    assert identity.host == deck.url.removeprefix("http://")
    assert (identity.writable, identity.warnings) == (True, ())
    assert deck.requests == [LIST, "GET /ocs/v2.php/cloud/user?format=json"]


def test_what_is_there_is_listed_when_the_board_is_not(deck: Deck) -> None:
    deck.board("Haushalt")
    deck.board("Gelöscht").deleted_at = 5
    deck.world.add_board("anna", "Geheim")
    with pytest.raises(NotACollection, match="“Haushalt”") as failure:
        connect(deck).identify()
    assert failure.value.found == ("Haushalt",)
    assert "RATHAUS_COLLECTION" in str(failure.value)


def test_boards_of_the_same_title_are_told_apart_by_id(deck: Deck) -> None:
    one, other = deck.board(), deck.board()
    with pytest.raises(NotACollection, match=f"{one.id}, {other.id}"):
        connect(deck).identify()
    assert connect(deck, str(other.id)).identify().collection == str(other.id)


def test_an_exact_title_wins_over_a_similar_one(deck: Deck) -> None:
    deck.board("digitale strategie")
    exact = deck.board()
    assert connect(deck).identify().collection == str(exact.id)


def test_the_first_request_of_an_account_makes_it_a_board_that_does_not_disturb(deck: Deck) -> None:
    deck.greeted.clear()
    board = deck.board()
    assert connect(deck).identify().collection == str(board.id)


def test_rights_are_said_before_anything_is_written(deck: Deck) -> None:
    board = deck.board()
    board.acl["bridge"] = frozenset({"edit"})
    identity = connect(deck).identify()
    assert identity.writable
    assert "labels" in identity.warnings[0]
    board.acl["bridge"] = frozenset()
    identity = connect(deck).identify()
    assert not identity.writable
    assert "only read" in identity.warnings[0]


def test_a_board_without_lists_is_said(deck: Deck) -> None:
    deck.board(stacks=())
    assert "no list" in connect(deck).identify().warnings[0]


def test_what_was_found_is_remembered_for_the_same_settings_only(deck: Deck) -> None:
    deck.board()
    memory = ready(deck).memory()
    deck.board("Haushalt")
    same, other = connect(deck), connect(deck, "Haushalt")
    same.identify(memory)
    assert deck.requests == []
    assert other.identify(memory).title == "Haushalt"
    for garbage in ("", "{}", "[]", "x", '{"board": 1}'):
        assert connect(deck).identify(garbage).title == "Digitale Strategie"


def test_a_wrong_password_is_tried_once_and_named_by_its_setting(deck: Deck) -> None:
    deck.board()
    with pytest.raises(Unauthorized, match="RATHAUS_PASSWORD") as failure:
        connect(deck, password="geheim-4711").identify()
    assert deck.requests == [LIST]
    assert "geheim" not in str(failure.value)
    deck.failures = 11
    with pytest.raises(RateLimited):
        connect(deck).identify()


@pytest.mark.parametrize(
    "path", ["", "/", "/index.php", "/index.php/apps/deck/board/1", "/apps/deck/#/board/1", "/index.php/apps/files/"]
)
@pytest.mark.parametrize("prefix", ["", "/cloud"])
def test_the_address_of_any_page_of_nextcloud_is_good_enough(prefix: str, path: str) -> None:
    with Deck(prefix) as deck:
        deck.board()
        connector = connect(deck, url=deck.url + path)
        assert connector.identify().title == "Digitale Strategie"
        made = connector.create({"title": "eins"}, "mark")
        assert made.ref.instance == deck.url.removeprefix("http://")


def test_instances_are_told_apart_by_host_port_and_path() -> None:
    addresses = {
        "https://cloud.example.org": "cloud.example.org",
        "https://Cloud.Example.org:443/": "cloud.example.org",
        "https://cloud.example.org:8443/nc/index.php/apps/deck": "cloud.example.org:8443/nc",
    }
    for url, instance in addresses.items():
        assert Wire(Http(Access("rathaus", url))).instance == instance
    assert root_of("https://cloud.example.org/nc/apps/deck/#/board/3") == "https://cloud.example.org/nc"


def test_an_address_without_deck_is_said_in_words() -> None:
    with Deck("/cloud") as deck:
        deck.board()
        with pytest.raises(NotACollection, match="RATHAUS_URL"):
            connect(deck, url=deck.url.removesuffix("/cloud")).identify()


def test_an_account_that_is_not_told_is_the_sign_in(deck: Deck) -> None:
    board = deck.board()
    deck.add(board, "eins", user="bridge")
    deck.fail("GET", "/cloud/user", status=404, body="<html></html>")
    assert ready(deck).pull(None, {}).records[0].own is True


def test_the_type_makes_a_connector_that_counts() -> None:
    access = Access("rathaus", "https://cloud.example.org", user="a", password="b", collection="c")
    connector = TYPE.connect(access)
    assert isinstance(connector, Connector)
    assert isinstance(connector, HasTraffic)
    assert connector.abilities.writes == 1
    assert (TYPE.name, TYPE.mapping) == ("nextcloud-deck", "nextcloud-deck.toml")
    more = TYPE.connect(
        Access("rathaus", "https://cloud.example.org", user="a", password="b", collection="c", writes=4)
    )
    assert more.abilities.writes == 4
