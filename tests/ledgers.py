"""Ledgers for tests: where PostgreSQL is, if anywhere, a schema of its own for whoever asks, and things to keep."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.state import Base, Entry, Intent, Item, Key, Link, Unlinked
from connectors.base import Record, Ref

POSTGRESQL = os.environ.get("BRIDGE_TEST_POSTGRESQL", "")
needs_postgresql = pytest.mark.skipif(
    not POSTGRESQL, reason="BRIDGE_TEST_POSTGRESQL names no PostgreSQL database that tests may use"
)


@contextmanager
def schema() -> Iterator[str]:
    """URL of a fresh, empty schema in the tests' database."""
    name = f"test_{uuid.uuid4().hex}"
    url = sa.make_url(POSTGRESQL).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    try:
        yield url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")


def an_item(id: str, title: str = "") -> Item:
    return Item(id, "task", {"title": Base(title, Key(1, 0, "r"))})


def a_link(id: str, item: str = "i", connector: str = "c", native_id: str = "", **more: Any) -> Link:
    return Link(id, item, connector, native_id or f"n-{id}", **more)


def an_intent(id: str, connector: str = "c", **more: Any) -> Intent:
    told = {"run": 1, "at": 10, **more}
    return Intent(id, "update", connector, "i", "l", "n", {"done": True}, {"status": "done"}, {}, **told)


def a_record(native_id: str) -> Record:
    return Record(Ref("cloud.example.org", native_id, "2026"), "board", "v1", 12.5, {"labels": ("a", "b")}, own=True)


def waiting(native_id: str, connector: str = "c") -> Unlinked:
    return Unlinked(connector, native_id, a_record(native_id), "Titel", "task", candidates=("i", "j"))


def an_entry(run: int, item: str) -> Entry:
    return Entry(run, 10, item, "title", None, "neu", "c", "edit", "why")


def ids(found: Iterable[Any]) -> list[str]:
    return [it.id for it in found]
