"""The desk on which a document lies open: several writes at once become one save.

Every write has to be in the file before its caller hears that it was done (R28), and a save of a file on a server costs
an upload, however little changed. So whoever gets hold of the desk carries out all that is waiting, saves once, and
tells every caller what became of its own: as databases commit in groups. A save without an answer is lost for all of
them, and each is resolved by its own intent (R17).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from connectors.errors import PlatformError, Transient
from connectors.workbook.document import Document
from connectors.workbook.place import Meanwhile, Place, Stamp

TRIES = 3
"""How often a change is made anew in what somebody else saved meanwhile."""

Change = Callable[[Document, Stamp], bool]
"""Changes a document; False if there was nothing to change. Raises PlatformError, with the document as it was."""


class _Job:
    """One caller's change, and what became of it."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.error: Exception | None = None
        self.done = False


class Desk:
    """One document at a time. ``parse`` makes one of a file's content."""

    def __init__(self, place: Place, parse: Callable[[bytes], Document]) -> None:
        self._place, self._parse = place, parse
        self._waiting: list[_Job] = []
        self._door = threading.Lock()  # to the list
        self._lock = threading.RLock()  # to the document
        self._open: Document | None = None
        self._content = b""

    def read(self, unless: str = "", *, again: bool = True) -> tuple[Document, Stamp] | None:
        """The document as it is now, None if its token is still ``unless``."""
        with self._lock:
            found = self._place.read(unless, again=again)
            if found is None:
                return None
            content, stamp = found
            if self._open is None or self._content != content:
                self._open, self._content = self._parse(content), content
            return self._open, stamp

    def write(self, change: Change) -> tuple[Document, Stamp]:
        """Make a change and return the document as it was read back, once that is saved."""
        job = _Job(change)
        with self._door:
            self._waiting.append(job)
        with self._lock:
            if not job.done:
                with self._door:
                    jobs, self._waiting = self._waiting, []
                self._carry_out(jobs)
            if job.error is not None:
                raise job.error
            return self._now(again=False)

    def _now(self, *, again: bool) -> tuple[Document, Stamp]:
        found = self.read(again=again)
        assert found is not None  # only a token can say that nothing changed
        return found

    def _carry_out(self, jobs: list[_Job]) -> None:
        try:
            for turn in range(TRIES):
                if self._saved(jobs, again=turn > 0):
                    break
            else:
                raise Transient(f"{self._place.name} is being saved by others all the time: nothing was written.")
        except Exception as error:
            self._open = None
            for job in jobs:
                job.error = job.error or error
        for job in jobs:
            job.done = True

    def _saved(self, jobs: list[_Job], *, again: bool) -> bool:
        """Make the changes and save them; False if somebody else saved meanwhile."""
        document, stamp = self._now(again=again)
        changed = False
        for job in jobs:
            job.error = None
            try:
                changed = job.change(document, stamp) or changed
            except PlatformError as error:
                job.error = error
        if changed or any(job.error for job in jobs):
            self._open = None  # a change that was refused may have begun
        if changed:
            try:
                self._place.replace(document.save(), stamp)
            except Meanwhile:
                return False
        return True
