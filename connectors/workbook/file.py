"""A file that people work on as well: read when it is at rest, replaced in one step, and only if it is unchanged.

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
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import NotACollection, Transient

REST = 2.0
"""Seconds for which a file must have been left alone: a save may still be under way."""


@dataclass(frozen=True)
class Stamp:
    """What a file was when it was read; any other is somebody's save."""

    time: int
    size: int
    digest: str


class WatchedFile:
    """One file. ``ours`` is what we wrote last: that need not come to rest."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._ours: Stamp | None = None

    def read(self) -> tuple[bytes, Stamp]:
        """The content of a file at rest."""
        self._refuse_lock()
        content, stamp = self._now()
        if stamp != self._ours and abs(self._clock() - stamp.time / 1e9) < REST:
            raise Transient(f"{self.path} was saved just now: it is read when the save has come to rest.")
        return content, stamp

    def replace(self, content: bytes, read: Stamp) -> None:
        """Put new content in place of what was read. Transient, and nothing written, if somebody saved meanwhile."""
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
            if self._now()[1] != read:
                raise Transient(f"{self.path} was saved by somebody else meanwhile: nothing was written.")
            time_, size = (made := temporary.stat()).st_mtime_ns, made.st_size
            os.replace(temporary, self.path)
            self._ours = Stamp(time_, size, hashlib.sha256(content).hexdigest())
        except OSError as error:
            raise Transient(f"{self.path} cannot be written: {error.strerror}.") from None
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def writable(self) -> bool:
        """Whether the file may be replaced: its folder has to take a new one."""
        return os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)

    def _now(self) -> tuple[bytes, Stamp]:
        try:
            with self.path.open("rb") as file:
                before = os.fstat(file.fileno())
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
        return content, Stamp(after.st_mtime_ns, after.st_size, hashlib.sha256(content).hexdigest())

    def _refuse_lock(self) -> None:
        name, folder = self.path.name, self.path.parent
        for lock in (f"~${name}", f"~${name[2:]}", f".~lock.{name}#"):  # Excel (long names lose two), LibreOffice
            if (folder / lock).exists():
                raise Transient(f"{self.path} is open in an office program: it is read when it has been closed.")
