"""Small words for the tests of the Deck connector."""

from __future__ import annotations

import re
from typing import Any

from connectors.base import Access, Changes, Fields, Record
from connectors.http import Http
from connectors.nextcloud_deck import DeckConnector
from connectors.nextcloud_deck.wire import HEADERS
from tests.fakes.deck import Deck

LIST = "GET /boards?details=true"


def connect(deck: Deck, collection: str = "Digitale Strategie", **settings: Any) -> DeckConnector:
    """A connector of the bridge's account, not identified; it does not really sleep between tries."""
    login, password = "bridge", deck.accounts["bridge"][1]
    access = Access(
        "rathaus", **{"url": deck.url, "user": login, "password": password, **settings}, collection=collection
    )
    return DeckConnector(access, Http(access, headers=HEADERS, sleep=lambda _: None))


def ready(deck: Deck, collection: str = "Digitale Strategie", **settings: Any) -> DeckConnector:
    """The same, identified; what it asked for that is forgotten."""
    connector = connect(deck, collection, **settings)
    connector.identify()
    deck.requests.clear()
    deck.bodies.clear()
    return connector


def known(changes: Changes) -> dict[str, str]:
    """The versions that a ledger would know after this pull."""
    return {record.ref.native_id: record.version for record in changes.records}


def find(connector: DeckConnector, native_id: object) -> Record:
    """The one record with this id in a complete listing."""
    return {record.ref.native_id: record for record in connector.pull(None, {}).records}[str(native_id)]


def shown(record: Record) -> Fields:
    """The fields of a record that can be read."""
    assert record.fields is not None
    assert not record.problem
    return record.fields


def asked(deck: Deck) -> list[str]:
    """The requests since the last time, without the ids of board and stack in them."""
    found = [re.sub(r"/boards/\d+(/stacks/\d+(?=/))?", "", one) for one in deck.requests]
    deck.requests.clear()
    return found
