"""The ledger in a database: SQLite by default, PostgreSQL by URL, through SQLAlchemy's expression language.

One `save` is one transaction that is on disk before it returns (R28): SQLite in WAL with synchronous=FULL,
PostgreSQL with synchronous_commit=on. A look-up costs what it returns: `bridge.tables` has an index for each, and
`tests/test_store.py` asks SQLite for its plans. Nothing is open between calls, so that no transaction ever spans
a request to a platform. Safe to call from several threads.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar, cast
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from bridge import tables
from bridge.place import Place, in_words
from bridge.state import Batch, Binding, Conflict, Entry, Intent, Item, Link, Run, Unlinked
from bridge.tables import Kept
from mappings.canonical import normal

T = TypeVar("T")
Row = Mapping[str, Any]

CHUNK = 500
"""Values in one IN list; PostgreSQL and SQLite both have limits, and SQLite's depends on how it was built."""

BUSY = 10.0
"""Seconds that SQLite waits for another program's write before it says "locked"."""


def make_engine(place: Place, *, read_only: bool = False) -> sa.Engine:
    """An engine for the place. Values of rows never reach an error message: they are people's texts."""
    if place.url is not None:
        return _postgresql_engine(place.url, read_only)
    if place.path is None:
        # One connection, since every further one would be another, empty, database in memory.
        return _sqlite_engine(":memory:", sa.StaticPool, read_only)
    # mode=rw never makes a file; with query_only, a reader can still tidy the WAL that a killed writer left.
    return _sqlite_engine(f"file:{quote(str(place.path))}?mode=rw", sa.QueuePool, read_only)


def _sqlite_engine(name: str, pool: type[sa.Pool], read_only: bool) -> sa.Engine:
    def connect() -> sqlite3.Connection:
        uri = name.startswith("file:")
        # Without an isolation level the driver opens no transaction by itself: `save` says when one begins.
        found = sqlite3.connect(name, timeout=BUSY, isolation_level=None, check_same_thread=False, uri=uri)
        try:
            if read_only:
                found.execute("PRAGMA query_only=ON")
            else:
                _use_wal(found)
            found.execute("PRAGMA synchronous=FULL")
            found.execute("PRAGMA foreign_keys=ON")
        except sqlite3.Error:
            found.close()
            raise
        return found

    return sa.create_engine("sqlite://", creator=connect, poolclass=pool, hide_parameters=True)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL, which it then stays in.

    Measured: SQLite does not wait for its turn here, whatever its time-out says, so that of several programs that
    start at once with no ledger yet, some would find it "locked".
    """
    end = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                raise
        time.sleep(0.02)


def _insert_of(in_sqlite: bool) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT; PostgreSQL's takes a while to load."""
    if in_sqlite:
        return sqlite.insert
    from sqlalchemy.dialects import postgresql

    return postgresql.insert


def _postgresql_engine(url: sa.URL, read_only: bool) -> sa.Engine:
    wanted = {"connect_timeout": 10, "tcp_user_timeout": 20_000, "application_name": "strategy-bridge"}
    given = {name: value for name, value in wanted.items() if name not in url.query}
    engine = sa.create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=given)

    @sa.event.listens_for(engine, "connect")
    def _settle(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit TO on")
            if read_only:
                cursor.execute("SET default_transaction_read_only TO on")
        connection.commit()

    return engine


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    known = list(dict.fromkeys(values))
    for start in range(0, len(known), CHUNK):
        yield known[start : start + CHUNK]


class SqlStore:
    """The ledger of `bridge.state.Store`, in a database. `bridge.ledger.open_ledger` makes one."""

    def __init__(self, engine: sa.Engine, place: Place) -> None:
        self.place = place
        self._engine = engine
        in_sqlite = engine.dialect.name == "sqlite"
        # SQLite runs a SELECT without a transaction as it is; PostgreSQL's driver needs to be told.
        self._reader = engine if in_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._begin = "BEGIN IMMEDIATE" if in_sqlite else ""
        self._insert: Any = _insert_of(in_sqlite)
        self._writing = threading.RLock()
        self._reading: AbstractContextManager[Any] = self._writing if place.memory else nullcontext()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> SqlStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- reading ---------------------------------------------------------------------------------------------

    def _rows(self, query: sa.Select[Any]) -> Sequence[Row]:
        with self._reading, in_words(self.place), self._reader.connect() as connection:
            return cast("Sequence[Row]", connection.execute(query).mappings().all())

    def _all(self, kept: Kept[T], *conditions: sa.ColumnElement[bool], newest_first: bool = False) -> list[T]:
        seq = kept.table.c.seq
        query = sa.select(kept.table).where(*conditions).order_by(seq.desc() if newest_first else seq)
        return [kept.value(row) for row in self._rows(query)]

    def _among(
        self, kept: Kept[T], column: sa.Column[str], values: Iterable[str], *conditions: sa.ColumnElement[bool]
    ) -> list[T]:
        found: list[Row] = []
        for chunk in _chunks(values):
            found += self._rows(sa.select(kept.table).where(column.in_(chunk), *conditions))
        return [kept.value(row) for row in sorted(found, key=lambda row: int(row["seq"]))]

    def identity(self) -> str:
        """What tells this ledger from every other (R30)."""
        return str(self._rows(sa.select(tables.identity))[0]["ledger"])

    def bindings(self) -> list[Binding]:
        """All that were ever bound and not forgotten."""
        return self._all(tables.BINDINGS, tables.bindings.c.forgotten.is_(False))

    def links_by_record(self, connector: str, native_ids: Iterable[str]) -> list[Link]:
        """Links, retired ones included (R20), of these records."""
        links = tables.links.c
        return self._among(tables.LINKS, links.native_id, native_ids, links.connector == connector)

    def links_of(self, items: Iterable[str]) -> list[Link]:
        """Every link of these items, retired ones included."""
        return self._among(tables.LINKS, tables.links.c.item, items)

    def links_flagged(self, flag: str, connectors: Iterable[str] | None = None) -> list[Link]:
        """Links, not retired, with this flag: "dirty", "behind", or non-empty "waits_for", "pending", "parked"."""
        these = () if connectors is None else (tables.links.c.connector.in_(sorted(connectors)),)
        return self._all(tables.LINKS, tables.STANDING, tables.FLAGS[flag], *these)

    def links_frozen(self, connector: str) -> list[Link]:
        """Frozen links of a connector."""
        return self._all(tables.LINKS, tables.FROZEN, tables.links.c.connector == connector)

    def _versions(self, *conditions: sa.ColumnElement[bool]) -> dict[str, str]:
        links = tables.links.c
        query = sa.select(links.native_id, links.version).where(tables.LIVE, *conditions).order_by(links.seq)
        rows = self._rows(query)
        return {row["native_id"]: row["version"] for row in rows}

    def live_refs(self, connector: str) -> dict[str, str]:
        """Native id to version, of every live link of a connector. For complete listings only: costs all of them."""
        return self._versions(tables.links.c.connector == connector)

    def versions_written(self, connector: str, since_run: int) -> dict[str, str]:
        """Native id to version, of the live links that were written in ``since_run`` or later."""
        links = tables.links.c
        return self._versions(tables.WRITTEN, links.connector == connector, links.written >= since_run)

    def count_live(self, connector: str) -> int:
        """How many live links of a connector are there whose item lives; only rows of dead items are read."""
        links, items = tables.links.c, tables.items.c
        dead = sa.select(items.id).where(tables.DEAD)
        query = sa.select(sa.func.count().label("live")).select_from(tables.links)
        [row] = self._rows(query.where(tables.LIVE, links.connector == connector, links.item.not_in(dead)))
        return int(row["live"])

    def items(self, ids: Iterable[str]) -> list[Item]:
        """These items."""
        return self._among(tables.ITEMS, tables.items.c.id, ids)

    def items_titled(self, titles: Iterable[str]) -> list[Item]:
        """Items with one of these titles, compared by `mappings.canonical.normal`."""
        wanted = {normal(title): tables.title_key(title) for title in titles}
        found = self._among(tables.ITEMS, tables.items.c.title_key, wanted.values())
        return [item for item in found if normal(item.title) in wanted]

    def items_starting(self, title: str) -> list[Item]:
        """Items whose title begins like this one, compared by `mappings.canonical.normal`."""
        key, wanted = tables.items.c.title_key, tables.title_key(title)
        found = self._all(tables.ITEMS, key >= wanted, key < wanted + "\U0010ffff")
        return [item for item in found if normal(item.title).startswith(normal(title))]

    def find_items(self, text: str) -> list[Item]:
        """The item of this id; else those whose id starts so; else those whose `normal` title it is."""
        if not text:
            return []
        id = tables.items.c.id
        started = (id >= text, id < text + "\U0010ffff")
        return self.items([text]) or self._all(tables.ITEMS, *started) or self.items_titled([text])

    def all_items(self) -> list[Item]:
        """Every item, oldest first."""
        return self._all(tables.ITEMS)

    def intents_open(self) -> list[Intent]:
        """Intents whose outcome is not recorded yet, oldest first."""
        return self._all(tables.INTENTS, tables.OPEN)

    def intents_since(self, connector: str, at: int) -> list[Intent]:
        """Intents with a harm that were written for this connector since that time (the guard's rolling day)."""
        intents = tables.intents.c
        return self._all(tables.INTENTS, tables.HARMFUL, intents.connector == connector, intents.at >= at)

    def unlinked(self) -> list[Unlinked]:
        """Records that wait to be paired, oldest first."""
        return self._all(tables.UNLINKED)

    def conflicts(self, item: str | None = None) -> list[Conflict]:
        """Kept conflicts, newest first."""
        only = [] if item is None else [tables.conflicts.c.item == item]
        return self._all(tables.CONFLICTS, *only, newest_first=True)

    def journal(self, item: str | None = None, run: int | None = None) -> list[Entry]:
        """Journal entries, oldest first."""
        journal = tables.journal.c
        only = [] if item is None else [journal.item == item]
        return self._all(tables.JOURNAL, *only, *([] if run is None else [journal.run == run]))

    def runs(self, limit: int = 1) -> list[Run]:
        """The newest runs, newest first."""
        query = sa.select(tables.runs).order_by(tables.runs.c.id.desc()).limit(limit)
        return [tables.RUNS.value(row) for row in self._rows(query)]

    # ---- writing ---------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """All that happens inside, or nothing. Writers queue here, so that they never find SQLite busy."""
        with self._writing, in_words(self.place), self._engine.begin() as connection:
            if self._begin:
                connection.exec_driver_sql(self._begin)
            yield connection

    def _put(self, connection: sa.Connection, kept: Kept[T], values: Iterable[T]) -> None:
        last = {kept.identity(value) or (number,): value for number, value in enumerate(values)}
        if not last:
            return
        insert = self._insert(kept.table)
        if kept.unique:
            taken = [column.name for column in kept.table.c if column.name not in ("seq", *kept.unique)]
            new = {name: insert.excluded[name] for name in taken}
            insert = insert.on_conflict_do_update(index_elements=list(kept.unique), set_=new)
        connection.execute(insert, [kept.row(value) for value in last.values()])

    def save(self, batch: Batch) -> None:
        """Store all of it, or nothing; in the order of the batch's fields, so what is forgotten is gone after it."""
        if not batch:
            return
        waiting = tables.unlinked
        with self._transaction() as connection:
            self._put(connection, tables.ITEMS, batch.items)
            self._put(connection, tables.LINKS, batch.links)
            self._put(connection, tables.INTENTS, batch.intents)
            self._put(connection, tables.BINDINGS, batch.bindings)
            self._put(connection, tables.UNLINKED, batch.unlinked)
            if batch.forget_unlinked:
                this = (waiting.c.connector == sa.bindparam("c"), waiting.c.native_id == sa.bindparam("n"))
                gone = [{"c": connector, "n": native_id} for connector, native_id in batch.forget_unlinked]
                connection.execute(sa.delete(waiting).where(*this), gone)
            self._put(connection, tables.CONFLICTS, batch.conflicts)
            for id in batch.forget_conflicts:
                connection.execute(sa.delete(tables.conflicts).where(tables.conflicts.c.id == id))
            self._put(connection, tables.JOURNAL, batch.journal)
            self._put(connection, tables.RUNS, batch.runs)

    def forget(self, connector: str) -> None:
        """Forget a connector: its binding, links, intents and unlinked records. Items and journal stay."""
        with self._transaction() as connection:
            for table in (tables.links, tables.intents, tables.unlinked):
                connection.execute(sa.delete(table).where(table.c.connector == connector))
            connection.execute(sa.delete(tables.bindings).where(tables.bindings.c.id == connector))
