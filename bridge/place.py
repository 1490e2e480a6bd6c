"""Where the ledger is: what the setting BRIDGE_DATABASE_URL means, and what a database's refusal means in words.

The URL may hold a password, and one that is written wrongly may hold it anywhere (an unescaped ``@`` or ``/`` makes
a piece of it the host's name). So no sentence repeats the URL, its host, or what a PostgreSQL driver said.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from bridge.ledger_errors import LedgerError

SETTING = "BRIDGE_DATABASE_URL"


@dataclass(frozen=True)
class Place:
    """A ledger's place: a SQLite file (``path``), a PostgreSQL database (``url``), or memory (neither)."""

    url: sa.URL | None = field(default=None, repr=False)
    path: Path | None = None

    @property
    def memory(self) -> bool:
        """Whether it lives in this process only."""
        return self.url is None and self.path is None


def place_of(url: str, folder: Path | None = None) -> Place:
    """What the URL means. A relative path is relative to ``folder``, by default the working folder."""
    try:
        parsed = sa.make_url(url.strip())
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        raise LedgerError(f"{SETTING} is not a database URL: write it like sqlite:///bridge.db.") from None
    if backend in ("postgresql", "postgres"):
        return Place(url=parsed.set(drivername="postgresql+psycopg"))
    if backend != "sqlite":
        raise LedgerError(
            f"{SETTING} names a kind of database that the bridge does not know: use sqlite:///bridge.db "
            "or postgresql://user:password@host/name."
        )
    if parsed.host or parsed.query:
        raise LedgerError(f"{SETTING} must have three slashes before a file's path, and nothing after it.")
    if parsed.database in (None, "", ":memory:"):
        return Place()
    return Place(path=((folder or Path.cwd()) / str(parsed.database)).resolve())


@contextmanager
def in_words(place: Place) -> Iterator[None]:
    """Whatever the database or the file system refuses inside becomes a `LedgerError` of one sentence."""
    try:
        yield
    except IntegrityError as error:
        raise LedgerError("Nothing was stored: it would have contradicted what the ledger holds.") from error
    except DBAPIError as error:
        if place.url is not None:
            raise LedgerError(_postgresql(error.orig)) from None
        raise LedgerError(_sqlite(place, error.orig)) from error
    except sqlite3.Error as error:
        raise LedgerError(_sqlite(place, error)) from error
    except OSError as error:
        raise LedgerError(_file(place, error)) from error
    except Exception as error:
        if place.url is None or not hasattr(error, "sqlstate"):
            raise
        raise LedgerError(_postgresql(error)) from None  # psycopg's own, where SQLAlchemy was not between


def refuse_unusable(path: Path, *, writing: bool) -> None:
    """Say what is wrong with a SQLite file's place before SQLite says "unable to open database file"."""
    if not path.parent.is_dir():
        raise LedgerError(f"The folder {path.parent} of the ledger does not exist: create it, or correct {SETTING}.")
    if path.is_dir():
        raise LedgerError(f"The ledger {path} is a folder: name a file in {SETTING}.")
    if path.exists() and not os.access(path, os.R_OK | (os.W_OK if writing else 0)):
        raise LedgerError(_rights(path))


def _rights(path: Path) -> str:
    return (
        f"The ledger {path} may not be read and written by this user: "
        f"give it the rights to the file and its folder, or correct {SETTING}."
    )


def _full(what: str) -> str:
    return f"Nothing was stored, because {what} is full: make room, then run the same command again."


def _file(place: Place, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return _rights(place.path or Path())
    if error.errno in (28, 122):  # ENOSPC, EDQUOT
        return _full("the disk")
    return f"The ledger {place.path} cannot be used ({error.strerror}): check the file and its folder."


def _sqlite(place: Place, error: BaseException | None) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    path = place.path
    if name.startswith("SQLITE_NOTADB"):
        return f"The file {path} is not a ledger, nor any other database: move it away, or correct {SETTING}."
    if name.startswith("SQLITE_CORRUPT"):
        return f"The ledger {path} is damaged: put back the newest backup of it."
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"The ledger {path} is locked by another program: end that program, then run the same command again."
    if name.startswith("SQLITE_FULL"):
        return _full("the disk")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return _rights(path) if path else "The ledger is open for reading only."
    if name.startswith("SQLITE_IOERR"):
        return f"The disk failed while the ledger {path} was in use: check it, then run the same command again."
    return f"The ledger {path} failed ({name or type(error).__name__}): put back a backup, or report this as a bug."


_STATES = {
    "28": "refused the sign-in: check user name and password",
    "3D000": "does not know the database: create it, or correct the name",
    "3F000": "does not know the schema: create it, or correct the name",
    "42501": "does not give this user the rights that the ledger needs: let it own its database or schema",
    "42P07": "already holds other tables of the same names: give the ledger a database or schema of its own",
    "25006": "is open for reading only: name the primary server",
    "53100": "has no room left on its disk: make room, then run the same command again",
    "53300": "has too many connections: end some, then run the same command again",
    "55P03": "is locked by another program: end that program, then run the same command again",
    "57P": "was shut down: start it, then run the same command again",
    "08": "broke off the connection: check it, then run the same command again",
}

_PHRASES = {  # a refused connection carries no SQLSTATE; these are libpq's words, and the server's in English
    "password": "28",
    "authentication": "28",
    "pg_hba": "28",
    "role": "28",
    "database": "3D000",
    "too many": "53300",
}


def _postgresql(error: BaseException | None) -> str:
    """One sentence by SQLSTATE alone; see the module's docstring for what it must not say."""
    state = str(getattr(error, "sqlstate", None) or "")
    if not state:
        said = str(error).casefold()
        if "fatal" not in said:
            return f"The PostgreSQL server of {SETTING} cannot be reached: check that it runs, and its host and port."
        state = next((state for phrase, state in _PHRASES.items() if phrase in said.partition("fatal")[2]), "unknown")
    otherwise = f"failed (SQLSTATE {state}): see its log"
    what = next((words for start, words in _STATES.items() if state.startswith(start)), otherwise)
    return f"The PostgreSQL server of {SETTING} {what}."
