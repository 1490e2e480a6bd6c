"""One pass at a time per ledger: a lock that dies with its holder (R29).

Beside a SQLite file lies ``<file>-lock``, locked with flock: the kernel lets go of it when the process ends, however
it ends. The file says who holds it and since when, for people; it is never removed, since a lock on a removed file
keeps nobody out. On PostgreSQL it is an advisory lock of a session of its own, which the server ends with its
connection; a pooler that shares sessions between clients would break that, so the URL must not name one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from bridge.ledger_errors import LeaseHeld
from bridge.place import Place, in_words, place_of, refuse_unusable
from bridge.sql_store import make_engine

POLL = 0.1
"""Seconds between two tries."""

CHECK = 1.0
"""Seconds for which an answer of the server is believed."""

_KEEPALIVE = (
    "SELECT set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false), "
    "set_config('tcp_keepalives_count', '3', false)"
)
"""A machine that dies with the lock says no goodbye: the server asks after it, and lets go within a minute or so."""

_in_memory = threading.Lock()
"""For ledgers in memory: nobody outside this process sees one."""


class Lease(Protocol):
    """The right to run a pass on one ledger."""

    def held(self) -> bool:
        """Whether the lock is surely still ours; asked before each request that writes. Once lost, lost for good."""
        ...


class _Lock(Lease, Protocol):
    def take(self) -> bool:
        """Try once."""
        ...

    def holder(self) -> tuple[int | None, str, int | None]:
        """Process, host and Unix time of whoever has it, as far as that is known."""
        ...

    def release(self) -> None:
        """Let go; harmless if it is not ours."""
        ...


@contextmanager
def lease(url: str, folder: Path | None = None, *, wait: float = 30.0) -> Iterator[Lease]:
    """Hold the ledger's lease; raises LeaseHeld if another pass has not ended after ``wait`` seconds.

    The ledger itself need not be there yet. URL and folder as for `bridge.ledger.open_ledger`.
    """
    place = place_of(url, folder)
    with in_words(place):
        lock = _lock(place)
    try:
        with in_words(place):
            _wait(lock, wait)
        yield lock
    finally:
        lock.release()


def _lock(place: Place) -> _Lock:
    if place.url is not None:
        return _SessionLock(place)
    if place.path is None:
        return _MemoryLock()
    refuse_unusable(place.path, writing=True)
    return _FileLock(place.path.with_name(f"{place.path.name}-lock"))


def _wait(lock: _Lock, wait: float) -> None:
    end = time.monotonic() + wait
    while not lock.take():
        left = end - time.monotonic()
        if left <= 0:
            raise _refusal(lock, wait)
        time.sleep(min(POLL, left))


def _refusal(lock: _Lock, wait: float) -> LeaseHeld:
    pid, host, since = lock.holder()
    who = f" (process {pid} on {host}" if pid else ""
    if who and since:
        who += f", since {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M:%S} UTC"
    who += ")" if who else ""
    waited = f" and did not end within {wait:.0f} seconds" if wait else ""
    message = f"Another pass is at work on this ledger{who}{waited}: try again when it has ended."
    return LeaseHeld(message, pid=pid, host=host, since=since)


class _MemoryLock:
    def __init__(self) -> None:
        self._held = False

    def take(self) -> bool:
        self._held = _in_memory.acquire(blocking=False)
        return self._held

    def held(self) -> bool:
        return self._held

    def holder(self) -> tuple[int | None, str, int | None]:
        return os.getpid(), socket.gethostname(), None

    def release(self) -> None:
        if self._held:
            self._held = False
            _in_memory.release()


class _FileLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._mutex = threading.RLock()

    def take(self) -> bool:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        except BaseException:
            os.close(file)
            raise
        if not self._names(file):  # removed between opening and locking: the lock keeps nobody out
            os.close(file)
            return False
        self._file = file
        self._sign(file)
        return True

    def _sign(self, file: int) -> None:
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": int(time.time())}
        with suppress(OSError):  # a full disk: the lock holds without a signature
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps(who).encode() + b"\n", 0)

    def _names(self, file: int) -> bool:
        try:
            there = self._path.stat()
        except OSError:
            return False
        ours = os.fstat(file)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def held(self) -> bool:
        with self._mutex:
            if self._file is not None and not self._names(self._file):
                self.release()
            return self._file is not None

    def holder(self) -> tuple[int | None, str, int | None]:
        try:
            said = json.loads(self._path.read_text())
            return int(said["pid"]), str(said["host"]), int(said["since"])
        except (OSError, ValueError, KeyError, TypeError):
            return None, "", None

    def release(self) -> None:
        with self._mutex:
            if self._file is not None:
                file, self._file = self._file, None
                with suppress(OSError):
                    os.ftruncate(file, 0)
                os.close(file)


class _SessionLock:
    """An advisory lock of a PostgreSQL session that does nothing else."""

    def __init__(self, place: Place) -> None:
        self._mutex = threading.Lock()
        self._engine = make_engine(place)
        self._pooled: Any = None
        self._held = False
        self._asked = 0.0
        try:
            # The driver's own connection: SQLAlchemy would mend a broken one without a word, and the lock were gone.
            self._pooled = self._engine.raw_connection()
            self._pooled.driver_connection.autocommit = True
            self._run(_KEEPALIVE)
            [[schema]] = self._run("SELECT coalesce(current_schema(), '')")
        except BaseException:
            self.release()
            raise
        # Two ledgers may live in two schemas of one database.
        digest = hashlib.sha256(f"strategy-bridge lease {schema}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._pooled.driver_connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def take(self) -> bool:
        [[self._held]] = self._run("SELECT pg_try_advisory_lock(%s)", self._key)
        if self._held:
            self._asked = time.monotonic()
            # PostgreSQL keeps 63 bytes of it; the host comes last, since it may be long.
            signature = f"strategy-bridge pass {os.getpid()} {int(time.time())} {socket.gethostname()}"
            self._run("SELECT set_config('application_name', %s, false)", signature[:63])
        return self._held

    def held(self) -> bool:
        with self._mutex:
            if self._held and time.monotonic() - self._asked >= CHECK:
                try:
                    self._run("SELECT 1")
                    self._asked = time.monotonic()
                except Exception:  # whatever the driver says: the session, and the lock with it, is gone
                    self._held = False
            return self._held

    def holder(self) -> tuple[int | None, str, int | None]:
        high, low = (self._key >> 32) & 0xFFFFFFFF, self._key & 0xFFFFFFFF
        found = self._run(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.granted "
            "AND l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = "
            "current_database()) AND l.classid::bigint = %s AND l.objid::bigint = %s AND l.objsubid = 1",
            high,
            low,
        )
        words = str(found[0][0] or "").split() if found else []
        if len(words) != 5 or not (words[2].isdecimal() and words[3].isdecimal()):
            return None, "", None
        return int(words[2]), words[4], int(words[3])

    def release(self) -> None:
        with self._mutex:
            self._held = False
            if self._pooled is not None:
                with suppress(Exception):  # the connection may be broken; then the server has let go already
                    self._run("SELECT pg_advisory_unlock_all()")
                self._pooled.invalidate()
                self._pooled = None
            self._engine.dispose()
