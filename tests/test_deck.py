"""The connector to Nextcloud Deck: the contract on a fake and on a live server.

The traps that were measured have a test each in test_deck_identity.py, test_deck_reads.py, test_deck_creates.py and
test_deck_writes.py; test_deck_fake.py holds the fake itself to what was measured.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import Connector
from connectors.testing import ConnectorContract, ready
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


class Paced:
    """A connector as the engine uses it: no more writes are under way than its host bears."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._room = threading.BoundedSemaphore(connector.abilities.writes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def create(self, *words: Any) -> Any:
        with self._room:
            return self._connector.create(*words)

    def update(self, *words: Any) -> Any:
        with self._room:
            return self._connector.update(*words)


if all(LIVE):

    @pytest.mark.live
    class TestOnALiveNextcloud(ConnectorContract):
        """The same promises, on a real server: a board of its own for every test, deleted afterwards."""

        @pytest.fixture
        def platform(self) -> Iterator[DeckPerson]:
            person = DeckPerson.on_a_new_board(*LIVE)
            yield person
            person.leave()

        @pytest.fixture
        def connector(self, platform: DeckPerson) -> Any:
            """On SQLite, Nextcloud answers 500 to writers in parallel (facts: nextcloud, preamble; seen on 32.0.1)."""
            return Paced(ready(platform))

else:

    @pytest.mark.live
    def test_on_a_live_nextcloud() -> None:
        pytest.skip("LIVE_DECK_URL, LIVE_DECK_USER and LIVE_DECK_PASSWORD are not set")
