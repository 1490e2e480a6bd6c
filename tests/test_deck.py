"""The connector to Nextcloud Deck: the contract on a fake and on a live server.

The traps that were measured have a test each in test_deck_identity.py, test_deck_reads.py, test_deck_creates.py and
test_deck_writes.py; test_deck_fake.py holds the fake itself to what was measured.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from connectors.testing import ConnectorContract
from tests.deck_person import DeckPerson
from tests.fakes.deck import Deck

LIVE = tuple(os.environ.get(f"LIVE_DECK_{name}", "") for name in ("URL", "USER", "PASSWORD"))


class TestOnTheFake(ConnectorContract):
    """Every promise of the protocol, on a server that does what was measured."""

    @pytest.fixture(params=[(1, 18), (1, 16)], ids=["1.18", "1.16"])
    def platform(self, request: pytest.FixtureRequest) -> Iterator[DeckPerson]:
        with Deck() as deck:
            deck.world.release = request.param
            person = DeckPerson(deck.url, *deck.accounts["anna"], deck.board().id, deck.accounts["bridge"])
            yield person
            person.close()


if all(LIVE):

    @pytest.mark.live
    class TestOnALiveNextcloud(ConnectorContract):
        """The same promises, on a real server: a board of its own for every test, deleted afterwards."""

        @pytest.fixture
        def platform(self) -> Iterator[DeckPerson]:
            person = DeckPerson.on_a_new_board(*LIVE)
            yield person
            person.leave()

else:

    @pytest.mark.live
    def test_on_a_live_nextcloud() -> None:
        pytest.skip("LIVE_DECK_URL, LIVE_DECK_USER and LIVE_DECK_PASSWORD are not set")
