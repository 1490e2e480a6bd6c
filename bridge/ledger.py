"""The ledger's door: opens it, makes it on the first run, and brings one of an earlier release up to date.

A SQLite file is made for its owner only (mode 0600), and copied beside itself before it is migrated. The schema is
changed in one transaction that holds the database's own write lock: two programs that start at once make one
ledger, and one that is killed half-way leaves the ledger as it was. What the program does not understand it does
not touch: a ledger of a newer release, or a database that is none of ours, is refused in words.

Alembic is imported only when there is something to migrate; on any other day a start costs one look at the
revision. The caller of a command that writes takes the lease first (`bridge.lease`), so that no pass of an older
program is at work while the tables change.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa

from bridge import tables
from bridge.ledger_errors import LedgerError, LedgerMissing
from bridge.place import SETTING, Place, in_words, place_of, refuse_unusable
from bridge.sql_store import SqlStore, make_engine

__all__ = ["LedgerError", "LedgerMissing", "SqlStore", "open_ledger"]

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).with_name("migrations")

_MIGRATION_LOCK = int.from_bytes(hashlib.sha256(b"strategy-bridge migrations").digest()[:8], "big", signed=True)
"""The advisory lock under which PostgreSQL lets one program at a time change the tables."""


def open_ledger(url: str, folder: Path | None = None, *, read_only: bool = False) -> SqlStore:
    """The ledger at this URL, up to date.

    A relative SQLite path is relative to ``folder``, by default the working folder. With ``read_only`` nothing is
    made, migrated or stored: where there is no ledger yet, that raises LedgerMissing.
    """
    place = place_of(url, folder)
    with in_words(place):
        if place.path is not None:
            _find_file(place.path, read_only)
        try:
            engine = make_engine(place, read_only=read_only)
        except ModuleNotFoundError:
            raise LedgerError("PostgreSQL needs its driver: pip install 'strategy-bridge[postgresql]'.") from None
        try:
            with engine.connect() as connection:
                stored = _stored_revision(connection, place)
            if not _is_current(stored, place, read_only):
                _migrate(engine, place)
        except BaseException:
            engine.dispose()
            raise
    return SqlStore(engine, place)


def _find_file(path: Path, read_only: bool) -> None:
    refuse_unusable(path, writing=not read_only)
    if not path.exists():
        if read_only:
            raise _missing(f"at {path}")
        with suppress(FileExistsError):  # another program was faster; the write lock settles who makes the tables
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _missing(where: str) -> LedgerMissing:
    return LedgerMissing(f"There is no ledger yet {where}: “strategy-bridge sync” makes one.")


def _stored_revision(connection: sa.Connection, place: Place) -> str | None:
    """The revision of the tables, None where there are none yet."""
    names = set(sa.inspect(connection).get_table_names())
    if tables.REVISION_TABLE in names:
        found = connection.exec_driver_sql(f"SELECT version_num FROM {tables.REVISION_TABLE}").scalar()
        return None if found is None else str(found)
    if names and place.path is not None:
        raise LedgerError(f"The file {place.path} is a database of another program: correct {SETTING}.")
    if names & tables.metadata.tables.keys():
        raise LedgerError(
            f"The database of {SETTING} already holds other tables of the same names: "
            "give the ledger a database or schema of its own."
        )
    return None


def _is_current(stored: str | None, place: Place, read_only: bool) -> bool:
    """Whether nothing is to be done; what must not be done is refused here."""
    if stored == tables.REVISION:
        return True
    where = f"at {place.path}" if place.path else f"in the database of {SETTING}"
    if stored is not None and not (stored.isdecimal() and stored < tables.REVISION):
        raise LedgerError(
            f"The ledger {where} was written by a newer release of this program "
            f"(its revision is {stored}, this program knows {tables.REVISION}): update the program."
        )
    if read_only and stored is None:
        raise _missing(where)
    if read_only:
        raise LedgerError(f"The ledger {where} is of an earlier release: “strategy-bridge sync” brings it up to date.")
    return False


def _migrate(engine: sa.Engine, place: Place) -> None:
    """Make or upgrade the tables in one transaction; whoever comes second finds the work done."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Copying a table, as SQLite must to alter it, would trip over references to it.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        stored = _stored_revision(connection, place)
        if not _is_current(stored, place, read_only=False):
            if stored is not None and place.path is not None:
                _copy_aside(place.path)
            _upgrade(connection)
            connection.commit()
        connection.rollback()
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _copy_aside(path: Path) -> Path:
    """A copy as of now, whatever is still in the WAL included; it appears under its name only when it is whole."""
    copy = path.with_name(f"{path.name}.before-{tables.REVISION}.bak")
    half = copy.with_name(f"{copy.name}.part")
    half.unlink(missing_ok=True)
    file = os.open(half, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(half)) as target:
            source.backup(target)
        os.fsync(file)
        half.replace(copy)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)
    log.info("copied the ledger to %s before its tables change", copy.name)
    return copy


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes |= {
        "connection": connection,
        "metadata": tables.metadata,
        "version_table": tables.REVISION_TABLE,
    }
    command.upgrade(config, "head")
