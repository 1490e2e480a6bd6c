"""The ledger in a database is durable, cheap to ask, and plain about trouble."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bridge import sql_store, tables
from bridge.ledger import open_ledger
from bridge.ledger_errors import LedgerError
from bridge.sql_store import SqlStore
from bridge.state import Batch
from tests.ledgers import a_link, an_item, ids, needs_postgresql, schema, waiting

ROOT = Path(__file__).parents[1]


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqlStore]:
    with open_ledger("sqlite:///bridge.db", tmp_path) as ledger:
        yield ledger


def test_sqlite_is_as_durable_as_it_can_be(tmp_path: Path) -> None:
    open_ledger("sqlite:///bridge.db", tmp_path).close()  # the connection that makes the tables is a special one
    with open_ledger("sqlite:///bridge.db", tmp_path) as store, store._engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


@needs_postgresql
def test_postgresql_commits_synchronously_even_where_that_was_switched_off() -> None:
    with schema() as url:
        careless = sa.make_url(url)
        options = f"{careless.query['options']} -csynchronous_commit=off"
        careless = careless.update_query_dict({"options": options})
        with (
            open_ledger(careless.render_as_string(hide_password=False)) as store,
            store._engine.connect() as connection,
        ):
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


KILLED = """
import os, signal, sys
from bridge.ledger import open_ledger
from bridge.state import Batch, Item
store = open_ledger(sys.argv[1])
store.save(Batch(items=[Item("saved", "task")]))
with store._transaction() as connection:
    store._put(connection, __import__("bridge.tables").tables.ITEMS, [Item("unsaved", "task")])
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def test_a_killed_process_loses_exactly_what_it_had_not_saved(kind: str, tmp_path: Path) -> None:
    def check(url: str) -> None:
        done = subprocess.run([sys.executable, "-c", KILLED, url], cwd=ROOT, check=False)
        assert done.returncode == -signal.SIGKILL
        with open_ledger(url) as store:
            assert ids(store.all_items()) == ["saved"]

    if kind == "sqlite":
        check(f"sqlite:///{tmp_path}/bridge.db")
    else:
        with schema() as url:
            check(url)


def test_look_ups_never_walk_a_table(sqlite_store: SqlStore) -> None:
    """Only what returns a whole table may walk it; flags walk an index that holds nothing but what they return."""
    asked: list[tuple[str, Any]] = []
    sa.event.listen(
        sqlite_store._engine,
        "before_cursor_execute",
        lambda _c, _x, statement, parameters, _y, _m: asked.append((statement, parameters)),
    )
    sqlite_store.save(Batch(items=[an_item("i")], links=[a_link("l")], unlinked=[waiting("n")]))
    sqlite_store.save(Batch(forget_unlinked=[("c", "n")]))
    sqlite_store.links_by_record("c", ["n", "m"])
    sqlite_store.links_of(["i", "j"])
    sqlite_store.links_frozen("c")
    sqlite_store.live_refs("c")
    sqlite_store.count_live("c")
    sqlite_store.versions_written("c", 3)
    sqlite_store.items(["i", "j"])
    sqlite_store.items_titled(["t", "u"])
    sqlite_store.find_items("t")
    sqlite_store.intents_since("c", 10)
    sqlite_store.conflicts("i")
    sqlite_store.journal(item="i")
    sqlite_store.journal(run=1)
    sqlite_store.forget("c")
    sqlite_store.intents_open()
    for flag in tables.FLAGS:
        sqlite_store.links_flagged(flag)
    sqlite_store.runs()
    plans = [_plan(sqlite_store, *query) for query in asked if not query[0].startswith("BEGIN")]
    lines = [line for plan in plans for line in plan]
    assert [line for line in lines if line.startswith("SCAN")] == [
        "SCAN items USING INDEX items_dead",  # counting: the few that are dead, once
        "SCAN intents USING INDEX intents_open",
        *(f"SCAN links USING INDEX links_{flag}" for flag in tables.FLAGS),
        "SCAN runs USING INDEX sqlite_autoindex_runs_1",  # newest first, as far as the limit
    ]


def test_long_lists_of_ids_are_asked_for_in_chunks(sqlite_store: SqlStore) -> None:
    asked: list[int] = []
    sa.event.listen(
        sqlite_store._engine,
        "before_cursor_execute",
        lambda _c, _x, _s, parameters, _y, _m: asked.append(len(parameters)),
    )
    sqlite_store.items(str(number) for number in range(1203))
    assert asked == [500, 500, 203]


def _plan(store: SqlStore, statement: str, values: Any) -> list[str]:
    with closing(sqlite3.connect(str(store.place.path))) as connection:
        one = values[0] if isinstance(values, list) else values
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", one)]


def test_another_programs_lock_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_store, "BUSY", 0.01)
    with (
        open_ledger("sqlite:///bridge.db", tmp_path) as store,
        closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match=r"is locked by another program: .*\.$"):
            store.save(Batch(items=[an_item("i")]))
        other.execute("ROLLBACK")
        store.save(Batch(items=[an_item("i")]))
        assert ids(store.all_items()) == ["i"]


def test_a_full_disk_is_said_and_nothing_is_half_stored(sqlite_store: SqlStore) -> None:
    sqlite_store.save(Batch(items=[an_item("i")]))
    with sqlite_store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(LedgerError, match="disk is full"):
        sqlite_store.save(Batch(items=[an_item("i", "after"), an_item("j", "x" * 100_000)]))
    assert sqlite_store.all_items() == [an_item("i")]


def test_what_people_wrote_never_reaches_an_error(sqlite_store: SqlStore) -> None:
    secret = "Frau Mustermann ist krank"
    with pytest.raises(LedgerError) as caught:
        sqlite_store.save(Batch(items=[an_item("i", secret)], links=[a_link("l", item="nobody", url=secret)]))
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_a_reader_stores_nothing(sqlite_store: SqlStore, tmp_path: Path) -> None:
    sqlite_store.save(Batch(items=[an_item("i")]))
    with open_ledger("sqlite:///bridge.db", tmp_path, read_only=True) as reader:
        assert ids(reader.all_items()) == ["i"]
        with pytest.raises(LedgerError):
            reader.save(Batch(items=[an_item("j")]))
    assert ids(sqlite_store.all_items()) == ["i"]
