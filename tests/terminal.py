"""A person at a real terminal: a process on a pseudo-terminal, what it shows, and what is typed."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.mirror import environment


class Terminal:
    """One command on a terminal of 80 columns. ``seen`` is everything that was shown, escape sequences taken out."""

    def __init__(self, folder: Path, *words: str, **env: str) -> None:
        self.raw = b""
        self._from = 0
        self.code: int | None = None
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where a shell started the tests in the background
            os.chdir(folder)
            surroundings = environment() | {"COLUMNS": "80", "LINES": "40", "TERM": "xterm-256color"} | env
            os.execve(sys.executable, [sys.executable, "-m", "bridge", *words], surroundings)

    @property
    def seen(self) -> str:
        """What was shown, as one text."""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", self.raw.decode("utf-8", "replace"))
        return text.replace("\r\n", "\n")

    def until(self, words: str, seconds: float = 30.0) -> str:
        """Wait until the words are shown, behind what was waited for before; returns what came meanwhile."""
        before = self._from
        assert self._shows(words, seconds), f"{words!r} is not shown:\n{self.seen[before:]}"
        return self.seen[before : self._from]

    def _shows(self, words: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        pattern = re.compile(r"\s+".join(map(re.escape, words.split())))
        while (match := pattern.search(self.seen, self._from)) is None:
            if not self._read(deadline - time.monotonic()):
                return False
        self._from = match.end()
        return True

    def types(self, text: str) -> None:
        """Type a line."""
        os.write(self._fd, f"{text}\n".encode())

    def answers(self, question: str, text: str) -> str:
        """Wait for a question, and type the answer."""
        found = self.until(question)
        self.types(text)
        return found

    def presses(self, key: bytes, words: str) -> None:
        """Press a key, such as Ctrl-C (``b"\\x03"``), until the words are shown, as people do.

        One that comes in the moment between a prompt and the read of its answer waits for the next key (CPython).
        """
        for _ in range(9):
            os.write(self._fd, key)
            if self._shows(words, 3.0):
                return
        self.until(words, 3.0)

    def ends(self, seconds: float = 60.0) -> int:
        """Wait until the command has ended; its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self.code

    def _read(self, seconds: float) -> bool:
        """Read what is shown; False when nothing more will come."""
        ready, _, _ = select.select([self._fd], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            more = os.read(self._fd, 65_536)
        except OSError:  # EIO: the other side has ended
            return False
        self.raw += more
        return bool(more)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.code is None:
            if kind is not None:
                os.kill(self._pid, 9)
            self.ends(10.0)
        os.close(self._fd)
