"""A file on this machine: read when it is at rest, replaced in one step, and only if it is unchanged.

Office programs put a lock file beside what is open, and save in several steps. Whatever looks like that is waited for
(`connectors.errors.Transient`). A write goes to a temporary file beside, is compared with what was read, and takes the
file's place at once, so that nobody ever sees half of it (R24).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from connectors.base import Identity, Offer
from connectors.errors import NotACollection, Terminal, Transient
from connectors.workbook.place import FORMATS, LARGEST, Meanwhile, Stamp

REST = 2.0
"""Seconds for which a file must have been left alone: a save may still be under way."""


class LocalFile:
    """One file. What we wrote last need not come to rest."""

    host = "file:"

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.name = self.url = str(path)
        self.suffix = path.suffix.lower()
        self._now = clock
        self._ours: Stamp | None = None

    def files(self) -> list[Offer] | None:
        """What a folder holds."""
        if not self.path.is_dir():
            return None
        return [Offer(str(one), one.name) for one in sorted(self.path.iterdir()) if one.suffix.lower() in FORMATS]

    def within(self, sheet: str) -> str:
        """Path and sheet."""
        return f"{self.path}#{sheet}" if sheet else str(self.path)

    def find(self) -> Identity:
        """The file must be there; to be replaced, its folder has to take a new one."""
        writable = os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        said = f"{self.path} or its folder may not be written by this account: it is only read."
        return Identity("workbook", self.host, self.name, self.path.name, writable, () if writable else (said,))

    def remember(self) -> dict[str, str]:
        """The path says it all."""
        return {}

    def recall(self, remembered: dict[str, str]) -> bool:
        """Nothing to take back: looking costs nothing."""
        return False

    def read(self, unless: str = "", *, again: bool = True) -> tuple[bytes, Stamp] | None:
        """The content of a file at rest."""
        self._refuse_lock()
        content, stamp = self._content()
        if stamp != self._ours and abs(self._now() - stamp.time) < REST:
            raise Transient(f"{self.path} was saved just now: it is read when the save has come to rest.")
        return None if unless and stamp.token == unless else (content, stamp)

    def replace(self, content: bytes, read: Stamp) -> None:
        """Put new content in place of what was read."""
        temporary = None
        try:
            handle, name = tempfile.mkstemp(prefix=".sb-", suffix=self.path.suffix, dir=self.path.parent)
            temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(self.path, temporary)
            self._refuse_lock()
            if self._content()[1] != read:
                raise Meanwhile
            ours = _stamp(temporary.stat(), content)
            os.replace(temporary, self.path)
            _settle(self.path.parent)
            self._ours = ours
        except OSError as error:
            raise Transient(f"{self.path} cannot be written: {error.strerror}.") from None
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def _content(self) -> tuple[bytes, Stamp]:
        try:
            with self.path.open("rb") as file:
                before = os.fstat(file.fileno())
                if before.st_size > LARGEST:
                    raise Terminal(f"{self.path} is larger than {LARGEST:,} bytes: it is not read.")
                content = file.read()
                after = os.fstat(file.fileno())
        except FileNotFoundError:
            if not self.path.parent.is_dir():
                raise Transient(f"The folder {self.path.parent} is not there: is the drive connected?") from None
            raise NotACollection(f"There is no file {self.path}: make it, or name another.") from None
        except OSError as error:
            raise Transient(f"{self.path} cannot be read: {error.strerror}.") from None
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            raise Transient(f"{self.path} was saved just now: it is read when the save has come to rest.")
        return content, _stamp(after, content)

    def _refuse_lock(self) -> None:
        name, folder = self.path.name, self.path.parent
        for lock in (f"~${name}", f"~${name[2:]}", f".~lock.{name}#"):  # Excel (long names lose two), LibreOffice
            if (folder / lock).exists():
                raise Transient(f"{self.path} is open in an office program: it is read when it has been closed.")


def _settle(folder: Path) -> None:
    """Let the new name survive a power cut, before anybody is told that it is there (R28)."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _stamp(stat: os.stat_result, content: bytes) -> Stamp:
    tag = f"{stat.st_mtime_ns}-{hashlib.sha256(content).hexdigest()}"
    return Stamp(stat.st_mtime, tag, tag)
