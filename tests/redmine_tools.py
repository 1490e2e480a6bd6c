"""Small words for the tests of the Redmine connector."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.base import Access, Changes, Fields, Record
from connectors.redmine import RedmineConnector
from connectors.redmine.wire import KeyHttp
from tests.redmine_person import RedminePerson

Json = Any


def access(person: RedminePerson, **settings: Any) -> Access:
    """The settings of a connector to this person's project."""
    key = person.redmine.keys[person.bridge]
    return replace(Access("rathaus", person.redmine.url, token=key, collection=person.collection), **settings)


def connect(person: RedminePerson, **settings: Any) -> RedmineConnector:
    """A connector that is not identified; it does not really sleep between tries."""
    given = access(person, **settings)
    return RedmineConnector(given, KeyHttp(given, sleep=lambda _: None))


def ready(person: RedminePerson, **settings: Any) -> RedmineConnector:
    """The same, identified."""
    connector = connect(person, **settings)
    connector.identify()
    return connector


def known(changes: Changes) -> dict[str, str]:
    """The versions that a ledger would know after this pull."""
    return {record.ref.native_id: record.version for record in changes.records}


def find(connector: RedmineConnector, native_id: str) -> Record:
    """The one record with this id in a complete listing."""
    return {record.ref.native_id: record for record in connector.pull(None, {}).records}[native_id]


def shown(record: Record) -> Fields:
    """The fields of a record that can be read."""
    assert record.fields is not None
    assert not record.problem
    return record.fields
