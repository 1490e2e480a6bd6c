"""Small words for the tests of the OpenProject connector."""

from __future__ import annotations

from typing import Any

from connectors.base import Access, Changes, Fields, Record
from connectors.openproject import OpenProjectConnector
from connectors.openproject.wire import KeyHttp
from tests.fakes.openproject import IDENTIFIER, OpenProject


def connect(server: OpenProject, collection: str = IDENTIFIER, **settings: Any) -> OpenProjectConnector:
    """A connector of the bridge's account, not identified. It does not really sleep."""
    access = Access("amt", **{"url": server.url, "token": "opapi-bridge", **settings}, collection=collection)
    return OpenProjectConnector(access, KeyHttp(access, sleep=lambda _: None))


def ready(server: OpenProject, collection: str = IDENTIFIER, **settings: Any) -> OpenProjectConnector:
    """The same, identified; what it asked for that is forgotten."""
    connector = connect(server, collection, **settings)
    connector.identify()
    server.requests.clear()
    server.bodies.clear()
    return connector


def known(changes: Changes) -> dict[str, str]:
    """The versions that a ledger would know after this pull."""
    return {record.ref.native_id: record.version for record in changes.records}


def find(connector: OpenProjectConnector, title: str) -> Record:
    """The one record with this title in a complete listing."""
    [found] = [one for one in connector.pull(None, {}).records if (one.fields or {}).get("title") == title]
    return found


def shown(record: Record) -> Fields:
    """The fields of a record that can be read."""
    assert record.fields is not None
    assert not record.problem
    return record.fields


def asked(server: OpenProject) -> list[str]:
    """The requests since the last time, without what they ask besides and without the project's id."""
    found = [request.partition("?")[0] for request in server.requests]
    for project in server.world.projects:
        found = [one.replace(f"/projects/{project}/", "/").replace(f"/projects/{project}", "/project") for one in found]
    server.requests.clear()
    return found
